"""A space of networks, its size and costs, and the search in it."""
