"""Charts of the Scaling page, one file per subject."""
