"""Measured latency: requests, store and background runs. Torch runs in the worker process."""
