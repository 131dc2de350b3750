"""Human parse by the CIHP Part Grouping Network, in its Python 3.6 and TensorFlow 1.15."""
