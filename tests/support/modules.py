"""Modules for tests of profiles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn


class Graph(nn.Module):
    """A module whose forward pass is `function(self, *inputs)`."""

    def __init__(self, function: Callable[..., Any], **parts: Any) -> None:
        super().__init__()
        self.function = function
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, *inputs: Any, **named: Any) -> Any:
        return self.function(self, *inputs, **named)
