"""Parts of the Width against depth page."""
