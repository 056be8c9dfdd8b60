"""Parts of the Width and resolution page."""
