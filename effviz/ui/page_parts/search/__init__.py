"""Parts of the page about architecture search."""
