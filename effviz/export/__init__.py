"""A design as Python source: how `effviz.torch_export` writes a file as one would by hand.

No file here knows a block. A class is written from what the block's `expand()` gives: all blocks of one kind that the
design builds are laid over one another, what they have in common becomes the code, and where they differ an
expression in the block's own fields is looked for that gives every one of them. What it gives is checked for all
blocks of the design while it is chosen, so that a class either says what `expand()` says or takes a number as an
argument.

======================  ========================================================================================
`effviz.export.source`  text: literals, names, lines broken where ruff breaks them
`effviz.export.pattern` the layers of several blocks laid over one another
`effviz.export.terms`   the expression that gives a value in all of them
`effviz.export.classes` the class of one kind of block
`effviz.export.network` the stage table and the class of the network
`effviz.export.library` calls of torchvision and timm that build the same network
======================  ========================================================================================
"""
