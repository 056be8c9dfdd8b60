"""Hashes of networks: equal for equal networks, whatever their names."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, is_dataclass
from typing import Any

from effviz.core.arguments import check_public
from effviz.core.caches import remembered
from effviz.core.resolution import Resolution
from effviz.model.design import Design


@remembered
def network_digest(design: Design, resolution: Resolution) -> str:
    """Return a hash of the built blocks and the input shape: equal for equal networks, whatever their names.

    Raises:
        DesignError: the network cannot be built at this resolution.
    """
    blocks = [_description(entry.block) for entry in design.blocks(resolution)]
    return hashlib.sha256(json.dumps([blocks, design.input_shape(resolution)]).encode()).hexdigest()


def _description(value: Any) -> Any:
    """Describe a layer by its class and the fields that differ from their defaults.

    A new field of a block, whose default changes nothing, leaves the stored latencies valid.
    """
    if is_dataclass(value):
        own = {each.name: getattr(value, each.name) for each in fields(value)}
        given = {each.name: own[each.name] for each in fields(value) if own[each.name] != each.default}
        return [type(value).__name__, {name: _description(each) for name, each in given.items()}]
    return [_description(each) for each in value] if isinstance(value, tuple) else repr(value)


check_public(globals())
