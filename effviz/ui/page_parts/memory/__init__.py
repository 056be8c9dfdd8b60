"""Parts of the page about memory access: ShuffleNetV2's guidelines in theory and in the experiment."""
