"""Everything that imports torch: build, profile, time, cross-check and draw a network."""
