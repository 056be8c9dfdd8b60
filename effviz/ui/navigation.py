"""The pages, as data: the frame, the home page, the screenshots and the tests read this one list."""

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
        "What a published network costs, where, and what its width, depth and resolution do to it.",
    ),
    PageInfo(
        "convolutions.py",
        "convolutions",
        "Convolutions",
        ":material/grid_on:",
        "What standard, grouped, depthwise and 1x1 convolutions cost, and which channels they connect.",
    ),
    PageInfo(
        "blocks.py",
        "blocks",
        "Building blocks",
        ":material/view_module:",
        "What one block of the papers costs, where in it, and beside other blocks at the same place.",
    ),
    PageInfo(
        "memory.py",
        "memory",
        "Memory access cost",
        ":material/memory:",
        "The four guidelines of ShuffleNetV2: at equal multiply-adds, what moves more memory, and is it slower here?",
    ),
    PageInfo(
        "multipliers.py",
        "multipliers",
        "Width and resolution",
        ":material/aspect_ratio:",
        "What the multipliers of the MobileNets and their kin do to the cost, and to the accuracy that papers print.",
    ),
    PageInfo(
        "width_depth.py",
        "width_depth",
        "Width against depth",
        ":material/swap_vert:",
        "Wide and shallow or narrow and deep: one kind of block, equal multiply-adds, and what differs all the same.",
    ),
    PageInfo(
        "scaling.py",
        "scaling",
        "Compound scaling",
        ":material/open_in_full:",
        "What EfficientNet's rule promises, what rounding builds of it, and what that costs here.",
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
        "How well a count predicts the speed of a network: measured on this machine, and as papers print it.",
    ),
)


def page(url_path: str) -> PageInfo:
    """The page at an address."""
    return next(entry for entry in PAGES if entry.url_path == url_path)
