"""The jobs of the torch process: every module of this package is one kind of job, named like the module.

The module has a function ``run(payload, progress, cancelled) -> dict``. Payload and result are JSON values.
``progress(fraction, message)`` may be called often. When ``cancelled()`` is true, the job returns or raises
`effviz.core.errors.Cancelled`. The modules import torch, so they are imported on first use, in the torch process only.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, TypeAlias, cast

from effviz.core.errors import look_up

Progress: TypeAlias = Callable[[float, str], None]
Job: TypeAlias = Callable[[dict[str, Any], Progress, Callable[[], bool]], dict[str, Any]]

JOBS: Mapping[str, str] = {module.name: f"{__name__}.{module.name}:run" for module in iter_modules(__path__)}
"""The function of every kind of job, as ``"module:function"``."""


def load(kind: str, jobs: Mapping[str, str]) -> Job:
    """Import the function of a job.

    Raises:
        UnknownNameError: `kind` is not in `jobs`.
    """
    module, _, function = look_up("kind", kind, jobs).partition(":")
    return cast("Job", getattr(import_module(module), function))
