"""The list of pages, which the frame, the home page, the screenshots and the tests read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PageInfo:
    """One page.

    Attributes:
        file: in the folder `pages`.
        url_path: address below the root; empty for the home page.
        title: in the navigation and on the page.
        icon: Material icon of the navigation.
        purpose: one sentence under the title.
    """

    file: str
    url_path: str
    title: str
    icon: str
    purpose: str


PAGES = (
    PageInfo(
        "home.py",
        "",
        "effviz",
        ":material/home:",
        "Understand and design efficient convolutional networks, with exact numbers.",
    ),
    PageInfo(
        "architectures.py",
        "architectures",
        "Architectures",
        ":material/account_tree:",
        "The cost of a published network, stage by stage, and the effect of its width, depth and resolution.",
    ),
    PageInfo(
        "convolutions.py",
        "convolutions",
        "Convolutions",
        ":material/grid_on:",
        "The cost of standard, grouped, depthwise and 1x1 convolutions, and the channels that they connect.",
    ),
    PageInfo(
        "blocks.py",
        "blocks",
        "Building blocks",
        ":material/view_module:",
        "The cost of one block of the papers, part by part, and compared with other blocks at the same input.",
    ),
    PageInfo(
        "memory.py",
        "memory",
        "Memory access cost",
        ":material/memory:",
        "The four guidelines of ShuffleNetV2: which design moves more memory at equal multiply-adds, and is it slower?",
    ),
    PageInfo(
        "multipliers.py",
        "multipliers",
        "Width and resolution",
        ":material/aspect_ratio:",
        "The effect of width and resolution on the cost of small networks, and on their published accuracy.",
    ),
    PageInfo(
        "width_depth.py",
        "width_depth",
        "Width against depth",
        ":material/swap_vert:",
        "Wide and shallow or narrow and deep: designs of one kind of block at equal multiply-adds.",
    ),
    PageInfo(
        "scaling.py",
        "scaling",
        "Compound scaling",
        ":material/open_in_full:",
        "EfficientNet's rule: the promised network, the network that rounding builds, and its cost.",
    ),
    PageInfo(
        "studio.py",
        "studio",
        "Studio",
        ":material/table_edit:",
        "Sketch a network before you code it: does it fit, what is wrong with it, and what is the code?",
    ),
    PageInfo(
        "latency.py",
        "latency",
        "FLOPs are not latency",
        ":material/speed:",
        "How well does a count predict the speed of a network? Measured on this machine, and as published.",
    ),
)


def page(url_path: str) -> PageInfo:
    """Return the page at an address."""
    return next(entry for entry in PAGES if entry.url_path == url_path)
