"""One small figure for the idea of each page, as inline SVG that follows the colors of the page."""

from effviz.ui.ideas.figures import figure

__all__ = ["figure"]
