"""Glossary: the terms of the field, each with a sentence, a formula, and the page that shows it."""

from effviz.ui.page_parts.glossary import entries
from effviz.ui.widgets.frame import header, moving

convention = header("glossary", controls=False)


def page() -> None:
    entries.show(entries.search())


moving(page)
