"""Blends the edited region into the photo."""
