"""Parts of the Convolutions page."""
