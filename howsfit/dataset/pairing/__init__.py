"""From the raw photos of a public data set, or of one's own, to pairs in the VITON-HD layout.

`description.py` reads what a source is like, `tree.py` and `records.py` find what it has, `plan.py` says which pairs that makes
under which names, `labels.py` and `framing.py` move its labels with its photos, `work.py` writes the files of a garment and of
the people in it, `run.py` does so with all cores.
"""
