"""By its picture."""
