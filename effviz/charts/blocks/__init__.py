"""Charts of the Blocks page, one file per subject."""
