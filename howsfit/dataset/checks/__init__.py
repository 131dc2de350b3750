"""The traps of a data set in the VITON-HD layout: how each is seen, what it does, and how it is mended."""
