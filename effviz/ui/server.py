"""The server of the app, as `effviz app` starts it."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

import click

from effviz.ui.paths import ROOT


def serve(options: Iterable[str]) -> None:
    """Serve the app until Ctrl-C.

    Args:
        options: options of ``streamlit run``.

    Raises:
        click.ClickException: an option is wrong.
    """
    from streamlit.web import cli

    with suppress(click.Abort):
        cli.main(["run", str(ROOT / "app.py"), *options], prog_name="streamlit", standalone_mode=False)
