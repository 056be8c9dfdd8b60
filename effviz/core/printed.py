"""HTML pages for printing: worksheets and reports have one style."""

_STYLE = """
@page { size: A4; margin: 18mm 20mm; }
:root { color-scheme: light; }
body { font: 11pt/1.45 "Source Sans 3", "Source Sans Pro", "Segoe UI", "Helvetica Neue", Arial, sans-serif;
  color: #1b1b22; max-width: 44rem; margin: 2rem auto; padding: 0 1rem; }
header { border-bottom: 2px solid #6a3fa0; margin-bottom: 1.25rem; }
h1 { font-size: 18pt; line-height: 1.2; margin: 0; }
h2 { font-size: 11pt; margin: 0; color: #6a3fa0; }
header p { margin: 0.35rem 0 0.75rem; }
section { break-inside: avoid; margin: 0 0 1.5rem; }
section p { margin: 0.2rem 0; }
sup, sub { line-height: 0; }
table { border-collapse: collapse; }
td, th { text-align: left; padding: 0.15rem 1.25rem 0.15rem 0; vertical-align: top; }
td:first-child { font-variant-numeric: tabular-nums; }
@media print { body { margin: 0; padding: 0; max-width: none; } }
"""


def document(title: str, head: str, body: str, style: str = "") -> str:
    """Return an HTML page that needs no other file.

    Args:
        title: HTML without block elements.
        head: HTML below the title, above the line.
        body: HTML of the sections.
        style: rules in addition to the common ones.
    """
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}{style}</style></head><body>"
        f"<header><h1>{title}</h1>{head}</header>{body}</body></html>\n"
    )
