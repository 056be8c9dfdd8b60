"""Parts of the page about width against depth: designs of one kind at equal multiply-adds."""
