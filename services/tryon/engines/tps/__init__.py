"""Garment warp with thin-plate splines, part by part, guided by pose and parse."""
