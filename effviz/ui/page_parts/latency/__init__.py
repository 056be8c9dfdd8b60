"""Parts of the page "FLOPs are not latency"."""
