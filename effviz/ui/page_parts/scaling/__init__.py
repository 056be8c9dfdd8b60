"""Parts of the page about compound scaling."""
