"""Crop and pad a photo to a 768 x 1024 picture of its largest person."""
