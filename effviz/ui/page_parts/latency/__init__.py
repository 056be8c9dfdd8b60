"""Parts of the Latency page."""
