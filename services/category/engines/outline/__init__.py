"""By the outline alone."""
