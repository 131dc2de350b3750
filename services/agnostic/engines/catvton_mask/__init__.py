"""The mask that CatVTON paints in."""
