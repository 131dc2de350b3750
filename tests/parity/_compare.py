"""How a run is compared with a golden one."""

import sys

import numpy as np

LOGITS, LABELS = 1e-3, 0.999
"""The largest difference allowed, as a share of the golden logits' spread; the share of labels that must be equal."""


def report(logits, labels, golden_logits, golden_labels):
    """Print what was found. Exits with 1 where it is not enough."""
    difference = float(np.abs(logits - golden_logits).max() / golden_logits.std())
    equal = float(np.mean(labels == golden_labels))
    print("logits differ by at most %.2e of their spread (allowed: %g)" % (difference, LOGITS))
    print("labels equal on %.4f of the pixels (wanted: %g)" % (equal, LABELS))
    print("labels in use: %s" % ", ".join(map(str, np.unique(golden_labels))))
    if not (difference <= LOGITS and equal >= LABELS):
        sys.exit("no parity")


def report_with_edges(logits, edges, golden):
    """CIHP_PGN's outputs against its golden run: as `report`, and the edge map."""
    difference = float(np.abs(1 / (1 + np.exp(-np.clip(edges, -80, 80))) - golden["out_edge"]).max())
    print("edge map differs by at most %.2e (allowed: %g)" % (difference, LOGITS))
    if difference > LOGITS:
        sys.exit("no parity")
    report(logits, logits.argmax(axis=0), golden["out_logits"].transpose(2, 0, 1), golden["out_label"])
