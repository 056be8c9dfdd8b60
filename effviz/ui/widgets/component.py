"""Components of effviz in the browser, whose scripts are files in `effviz/ui/static`."""

from __future__ import annotations

import json

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

from effviz.core.caches import remembered
from effviz.ui.static_files import address

# Streamlit sends the script of a component with every message, so this one only loads the file that does the work.
# It has a blob: URL itself, from which a module can import absolute addresses only. Streamlit also cleans up after a
# call that newer data has overtaken, while the component stays.
_LOADER = """
const loaded = import(location.origin + %s);
export default (component) => {
  loaded.then((script) => script.draw(component, ...%s.map((path) => location.origin + path)));
  return () => loaded.then((script) => component.parentElement.isConnected || script.remove?.(component));
};
"""


def component(name: str, html: str, *libraries: str) -> ComponentRenderer:
    """Return the component of the script ``<name>.js``.

    Args:
        name: of the script, which exports ``draw(component, ...urls)`` and perhaps ``remove(component)``.
        html: content of its element before the script runs.
        libraries: files whose addresses the script needs.
    """
    # Registered in every run: it belongs to the server, of which tests have several.
    return st.components.v2.component(f"effviz_{name}", html=html, js=_loader(name, libraries), isolate_styles=False)


@remembered
def _loader(name: str, libraries: tuple[str, ...]) -> str:
    return _LOADER % (json.dumps(address(f"{name}.js")), json.dumps([address(each) for each in libraries]))
