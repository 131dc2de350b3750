"""Garment cut-out: by its colour on plain ground, by a network on any other."""
