"""Garment cut-out with OpenCV: background model, evidence map and GrabCut."""
