"""Human parse by CIHP_PGN as an ONNX model, on today's Python."""
