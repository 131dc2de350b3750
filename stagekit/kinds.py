"""What stages and gateway both know of the artifacts' kinds. No NumPy here: the gateway's image has none."""

DOCUMENTS = ("keypoints", "transform", "category")
"""Kinds that are JSON; all others are pictures."""

CATEGORIES = ("upper", "lower", "dress")
"""What a garment may be: the values of the artifact `category`."""
