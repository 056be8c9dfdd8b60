"""What is particular to one page; a folder has the name of its file in `pages/`."""
