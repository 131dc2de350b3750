"""Human parse from pose-seeded segmentation."""
