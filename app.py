"""The web app's entry point: `streamlit run app.py`, or `effviz app` for an installed package.

Streamlit serves `effviz/ui/main.py`, not this file. A `pages/` folder beside the main script would make Streamlit run
each page without its frame until a session has called `st.navigation`. There is no such folder beside
`effviz/ui/main.py`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from streamlit.config import get_option

from effviz.ui import first_visits, turns
from effviz.ui.paths import MAIN_SCRIPT
from effviz.ui.security import SecurityMiddleware, allowed_hosts
from effviz.ui.server import apply_limits
from effviz.ui.shortcuts import take_shortcuts
from effviz.ui.static_files import StaticFilesMiddleware
from effviz.ui.sweeps import route as sweep_route
from effviz.ui.visitors import VisitorsMiddleware
from effviz.ui.widgets.jobs import forget_absent
from effviz.worker.calculations import pool
from effviz.worker.manager import default_manager


@asynccontextmanager
async def processes(app: st.App) -> AsyncIterator[None]:
    """Run the other processes as long as the server, so that the first visitor finds them ready; set up turns."""
    turns.start()
    running = default_manager(), pool()
    for each in running:
        each.start()
    first_visits.start(pool())
    yield
    for each in running:
        each.close()


apply_limits()
take_shortcuts()

# Streamlit finds this assignment by parsing the source, so it must be a plain assignment at module level.
app = st.App(
    MAIN_SCRIPT,
    lifespan=processes,
    routes=[sweep_route],
    middleware=[
        Middleware(SecurityMiddleware),
        Middleware(
            TrustedHostMiddleware, allowed_hosts=allowed_hosts(get_option("server.address")), www_redirect=False
        ),
        Middleware(VisitorsMiddleware, on_leave=forget_absent),
        Middleware(StaticFilesMiddleware),
        Middleware(GZipMiddleware, minimum_size=1000, compresslevel=5),
    ],
)
