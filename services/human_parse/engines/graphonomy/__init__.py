"""Human parse by Graphonomy's CIHP transfer model, on Torch."""
