"""Data sets in the VITON-HD layout: made, preprocessed, checked, shown."""
