"""Measured latency: the API, the store and background runs. Torch runs in the worker process."""
