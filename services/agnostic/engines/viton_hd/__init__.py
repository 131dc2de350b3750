"""The clothing-agnostic person of VITON-HD and HR-VITON."""
