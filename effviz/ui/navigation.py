"""The list of pages, which the frame, the home page, the screenshots and the tests read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PageInfo:
    """One page.

    Attributes:
        url_path: address below the root; empty for the home page.
        title: in the navigation and on the page.
        icon: Material icon of the navigation.
        purpose: one sentence under the title.
    """

    url_path: str
    title: str
    icon: str
    purpose: str

    @property
    def file(self) -> str:
        """Name of the script in the folder `pages`."""
        return f"{self.url_path or 'home'}.py"


PAGES = (
    PageInfo("", "effviz", "home", "Understand and design efficient convolutional networks, with exact numbers."),
    PageInfo("architectures", "Architectures", "account_tree",
             "The cost of a published network, stage by stage, and the effect of its width, depth and resolution."),
    PageInfo("convolutions", "Convolutions", "grid_on",
             "The cost of standard, grouped, depthwise and 1x1 convolutions, and the channels that they connect."),
    PageInfo("blocks", "Building blocks", "view_module",
             "The cost of one block of the papers, part by part, and compared with other blocks at the same input."),
    PageInfo("memory", "Memory access cost", "memory",
             "The four guidelines of ShuffleNetV2: at equal multiply-adds, which design moves more memory, and is it "
             "slower?"),
    PageInfo("multipliers", "Width and resolution", "aspect_ratio",
             "The effect of width and resolution on the cost of small networks, and on their published accuracy."),
    PageInfo("width_depth", "Width against depth", "swap_vert",
             "Wide and shallow or narrow and deep: designs of one kind of block at equal multiply-adds."),
    PageInfo("scaling", "Compound scaling", "open_in_full",
             "EfficientNet's rule: the promised network, the network that rounding builds, and its cost."),
    PageInfo("studio", "Studio", "table_edit",
             "Sketch a network before you code it: does it fit, what is wrong with it, and what is the code?"),
    PageInfo("latency", "FLOPs are not latency", "speed",
             "How well does a count predict the speed of a network? Measured on this machine, and as published."),
    PageInfo("classroom", "Classroom", "groups",
             "A class predicts together: students answer on their devices, the teacher's screen shows all answers."),
)  # fmt: skip


def page(url_path: str) -> PageInfo:
    """Return the page at an address."""
    return next(entry for entry in PAGES if entry.url_path == url_path)
