"""Parts of the Architectures page."""
