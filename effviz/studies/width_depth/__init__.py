"""Wide and shallow against narrow and deep: designs of one kind of block at equal multiply-adds.

Widths are rounded, so few networks meet a budget of multiply-adds exactly. `fit_width` returns the largest network
within the budget among those that rounding can build, and the next larger one, which exceeds it.
"""
