"""Parts of the Compound scaling page."""
