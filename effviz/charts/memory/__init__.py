"""Charts of the Memory page, one file per subject."""
