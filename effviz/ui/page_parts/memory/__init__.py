"""Parts of the Memory access cost page."""
