"""The list of pages, which the frame, the home page, the screenshots and the tests read."""

from __future__ import annotations

from dataclasses import dataclass

_ARXIV = "https://arxiv.org/abs"


@dataclass(frozen=True)
class PageInfo:
    """One page.

    Attributes:
        url_path: address below the root; empty for the home page.
        title: in the navigation and on the page.
        icon: Material icon of the navigation.
        idea: at most three sentences under the title, in Markdown, with links to the papers and marked terms, see
            `effviz.ui.widgets.glossary`.
        section: of the navigation; empty for none.
        counts: whether numbers on the page depend on the convention, which it then offers.
        enlarges: whether the page offers present mode.
    """

    url_path: str
    title: str
    icon: str
    idea: str
    section: str = ""
    counts: bool = True
    enlarges: bool = True

    @property
    def file(self) -> str:
        """Name of the script in the folder `pages`."""
        return f"{self.url_path or 'home'}.py"


# In the order in which they are learned.
PAGES = (
    PageInfo("", "effviz", "home",
             "Understand and design efficient convolutional networks. Every number is counted exactly, layer by layer, "
             "with its formula and its convention. Move the slider."),
    PageInfo("convolutions", "Convolutions", "grid_on",
             "A [[standard convolution]] mixes space and channels at once: every output reads every input channel. "
             "[[grouped convolution|Grouped convolutions]] cut the channels into independent parts. A "
             "[[depthwise separable]] one filters each channel alone, then mixes the channels with [[1×1 kernels]] "
             f"([MobileNet]({_ARXIV}/1704.04861)).", "Learn"),
    PageInfo("blocks", "Building blocks", "view_module",
             "Efficient networks repeat one block. [[inverted residual|Inverted residuals]] "
             f"([MobileNetV2]({_ARXIV}/1801.04381)) filter in many channels and connect few, "
             f"[[squeeze-and-excitation]] ([SENet]({_ARXIV}/1709.01507)) weights the channels, [[Ghost modules]] "
             f"([GhostNet]({_ARXIV}/1911.11907)) derive half of the maps cheaply.", "Learn"),
    PageInfo("memory", "Memory access cost", "memory",
             "A chip often waits for memory, not for arithmetic. The four guidelines of "
             f"[ShuffleNetV2]({_ARXIV}/1807.11164) compare designs with equal [[multiply-adds]] that "
             "[[memory access|read and write]] different amounts.", "Learn"),
    PageInfo("scaling", "Compound scaling", "open_in_full",
             "A larger budget can buy depth, width or resolution, and each one alone soon gains little. "
             f"[EfficientNet]({_ARXIV}/1905.11946) grows all three together by one coefficient [[φ]], and each step of "
             "φ about doubles the [[multiply-adds]].", "Scale"),
    PageInfo("multipliers", "Width and resolution", "aspect_ratio",
             "Two multipliers shrink a network: [[width multiplier|one]] thins its layers, "
             f"[[resolution multiplier|the other]] shrinks its image. [MobileNet]({_ARXIV}/1704.04861) defined both. "
             "Each cuts the [[multiply-adds]] almost quadratically, and each costs accuracy.", "Scale"),
    PageInfo("width_depth", "Width against depth", "swap_vert",
             "The same [[multiply-adds]] build a wide and shallow network or a narrow and deep one. Both "
             "hold about as many [[parameters]], but the deep one writes more [[activations]] "
             f"([Wide ResNets]({_ARXIV}/1605.07146)).",
             "Scale"),
    PageInfo("find", "Find a network", "search",
             "Before you design a network, try a published one at another width or resolution. Which of them fit the "
             "limits of a device on [[multiply-adds]], [[parameters]] and [[activations|memory]], and which of those "
             "has the highest published accuracy?", "Design"),
    PageInfo("architectures", "Architectures", "account_tree",
             "A network spends its [[parameters]] and its compute in different [[stages]]. Change width, depth and "
             "resolution of a published network, and see which stages pay for it.", "Design"),
    PageInfo("compare", "Compare", "compare_arrows",
             "No network is best in every number. Put up to 30 of them side by side and see which are on the "
             "[[Pareto front]]. Then take two apart: which [[stages]] differ, and where did the [[multiply-adds]] go?",
             "Design"),
    PageInfo("studio", "Studio", "table_edit",
             "Sketch a network before you code it, as a table of [[stages]]. Does it fit the budget, what is wrong "
             "with it, and what is the code?", "Design"),
    PageInfo("search", "Architecture search", "travel_explore",
             "Which network is best if both accuracy and [[latency]] count? A search weighs the two in one number "
             f"([MnasNet]({_ARXIV}/1807.11626)), and looks through more networks than can be trained. Costs are exact; "
             "accuracy is not predicted here.", "Design"),
    PageInfo("latency", "FLOPs are not latency", "speed",
             "Networks with equal [[multiply-adds]] differ several times in speed, because some operations use a "
             f"processor better than others ([ShuffleNetV2]({_ARXIV}/1807.11164)). How well does a count predict the "
             "[[latency|time]], here and as published?", "Measure"),
    PageInfo("lessons", "Lessons", "school",
             "Predict first, then look: four lessons on these pages, each at most 45 minutes long.", "Lessons",
             counts=False, enlarges=False),
    PageInfo("classroom", "Classroom", "groups",
             "A class predicts together. Students answer on their devices, and the teacher's screen shows all answers.",
             "Lessons", counts=False),
    PageInfo("literature", "Published figures", "fact_check",
             "Papers, libraries and course notes print [[parameters]], [[multiply-adds]], accuracies and latencies. "
             "Each figure is judged here: right, rounded, counted by another convention, unexplained, or wrong.",
             "Reference"),
    PageInfo("glossary", "Glossary", "menu_book",
             "The terms of the field. Each has a sentence and a link to the page that shows it, and most have a "
             "formula.", "Reference", counts=False, enlarges=False),
)  # fmt: skip


def page(url_path: str) -> PageInfo:
    """Return the page at an address."""
    return next(entry for entry in PAGES if entry.url_path == url_path)
