"""The launcher: `streamlit run app.py`. The app itself starts in `effviz/ui/main.py`.

Two files, because Streamlit runs every file of a folder `pages/` beside its main script as a page of
its own until the first session has called `st.navigation`: whoever came first by a deep link would
get a page without its frame. `effviz/ui/main.py` has no such folder beside it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware

from effviz.ui.security import SecurityHeadersMiddleware
from effviz.worker.manager import default_manager


@asynccontextmanager
async def torch_process(app: st.App) -> AsyncIterator[None]:
    """Start the torch process with the server, so that the first visitor finds it warm, and end it with the server."""
    manager = default_manager()
    manager.start()
    yield
    manager.close()


# Streamlit finds this assignment by reading the source, not by running it: keep it plain and at module level.
app = st.App(
    "effviz/ui/main.py",
    lifespan=torch_process,
    middleware=[
        Middleware(SecurityHeadersMiddleware),
        # Streamlit leaves its 12 MB of scripts uncompressed, a proxy's job; a class in one room has no proxy, only one
        # radio. A first visit takes 4.7 MB instead of 13. Level 5: 1 % more bytes than level 9 for 60 % of its time.
        Middleware(GZipMiddleware, minimum_size=1000, compresslevel=5),
    ],
)
