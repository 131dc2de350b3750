"""Garment cut-out with CarveKit's networks."""
