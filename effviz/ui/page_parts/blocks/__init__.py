"""Parts of the Building blocks page."""
