"""Parts of the page about the width and resolution multipliers: cost, and published accuracy."""
