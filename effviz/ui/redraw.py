"""Repeat a part of the page from another part that has run by itself."""

from __future__ import annotations

from streamlit.runtime.scriptrunner import RerunData, get_script_run_ctx


def redraw(part: str) -> None:
    """Run the fragment with the key `part` after this run.

    `st.rerun` accepts a key in callbacks only, because it ends the current run. Here that run continues: it may be one
    of the whole page, whose contents below the part must be drawn too.
    """
    context = get_script_run_ctx()
    if context is not None and context.script_requests is not None:
        context.script_requests.request_rerun(
            RerunData(
                query_string=context.query_string,
                page_script_hash=context.page_script_hash,
                fragment_id_queue=context.fragment_storage.resolve_target(part),
                cached_message_hashes=context.cached_message_hashes,
                context_info=context.context_info,
            )
        )
