"""Block diagrams of a network as DOT text, recorded by torchview."""
