"""Human parse by Graphonomy as an ONNX model, on today's Python."""
