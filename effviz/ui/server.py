"""The server of the app: how `effviz app` starts it, and its limits."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import suppress

import click

from effviz.core import settings
from effviz.ui.paths import ROOT


def serve(options: Iterable[str]) -> None:
    """Serve the app until Ctrl-C.

    Args:
        options: options of ``streamlit run``.

    Raises:
        click.ClickException: an option is wrong.
    """
    from streamlit.web import cli

    given = list(options)
    try:
        with suppress(click.Abort):
            cli.main(["run", str(ROOT / "app.py"), *given], prog_name="streamlit", standalone_mode=False)
    except OSError as error:
        raise click.ClickException(f"the app cannot listen with the options {' '.join(given)}: {error}") from None


def apply_limits() -> None:
    """Check the settings, raise the limit of open files, and limit requests and the messages that browsers send.

    Raises:
        DesignError: a setting is wrong.
    """
    import uvicorn

    from effviz.ui.connections import limit_connections

    settings.check()
    # Streamlit has one limit for both directions, and its answers contain tables and charts. A property of the class
    # hides the attribute of its objects.
    size = property(lambda config: 1_000 * settings.MESSAGE_KB.value, lambda config, value: None)
    uvicorn.Config.ws_max_size = size  # type: ignore[assignment]
    limit_connections()
    if sys.platform != "win32":
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = settings.OPEN_FILES.value
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        if soft != resource.RLIM_INFINITY and soft < most:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
