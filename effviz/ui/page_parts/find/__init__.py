"""Parts of the page that finds networks within limits."""
