"""Channel shuffle as a permutation: reshape, transpose, flatten."""

from __future__ import annotations

from effviz.charts.motion.spec import Caption, Motion, Phase, motion_of
from effviz.charts.sentences import plural
from effviz.core.caches import remembered
from effviz.count.kinds import MERGE
from effviz.model.layers import ChannelShuffle
from effviz.studies.convolutions import drawn_channels

_MOST = 16


def places(channels: int, groups: int) -> list[int]:
    """Return the place of every channel after the shuffle.

    Channel j of group g moves from place g·n + j to place j·G + g, with G groups of n channels.
    """
    size = channels // groups
    return [place % size * groups + place // size for place in range(channels)]


@remembered
def shuffle(channels: int, groups: int) -> Motion:
    """Animate the channel shuffle of ShuffleNet (arXiv 1707.01083, section 3.1)."""
    ChannelShuffle(groups).out_shape((channels, 1, 1))
    wide, count = drawn_channels(channels, groups, _MOST)
    size, after = wide // count, places(wide, count)
    phases = [Phase(MERGE, wide, drawn={"move": move}) for move in ("reshape", "transpose", "flatten")]
    captions: list[Caption] = [
        (0, f"Reshape: each group becomes a row of a {count}×{size} matrix."),
        (wide, f"Transpose: rows become columns, {size}×{count}. A row now has one channel of every group."),
        (2 * wide, "Flatten: row by row, the matrix becomes a line again."),
        (3 * wide, "The next grouped convolution reads channels of every group. No multiplications, only moves."),
    ]
    title = f"The shuffle deals the channels of {plural(groups, 'group')} out, one of each group in turn"
    if min(groups, channels // groups) == 1:
        title = f"A shuffle of {plural(channels, 'channel')} in {plural(groups, 'group')} moves nothing"
    order = ", ".join(str(after.index(place) + 1) for place in range(wide))
    note = f"Drawn: N' = {wide}, G = {count}, n = {size}"
    if wide != channels:
        note += f". Your numbers: N' = {channels:,}, G = {groups:,}, n = {channels // groups:,}"
    return motion_of(
        "shuffle", title, [note, f"Order after the shuffle: {order}"], "shuffle", phases, captions, twin=3 * wide,
        note=f"{note}.", channels=wide, groups=count, places=after,
    )  # fmt: skip
