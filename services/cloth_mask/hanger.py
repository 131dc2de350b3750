"""Where a garment that hangs begins: below the hook and neck of its hanger."""

import cv2
import numpy as np


def garment_top(body: np.ndarray, lab: np.ndarray) -> int:
    """The first row that is garment and not hanger; what is above is narrow, thin as a hook or of another colour than the rim.

    body: bool (H, W), hanger and garment, not empty; lab: float32 (H, W, 3) with L 0..100. Both about 512 pixels high.
    """
    rows = np.flatnonzero(body.any(axis=1))
    widths = body.sum(axis=1)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (13, 13))
    rim = body & ~cv2.erode(body.astype(np.uint8), disc).astype(bool)
    rim[: rows[len(rows) // 5]] = False
    colour = np.median(lab[rim], axis=0) if rim.any() else np.zeros(3)
    plain = rim.any() and np.median(np.linalg.norm(lab[rim] - colour, axis=1)) < 12
    middle = np.nonzero(body)[1].mean()
    for row in rows[: len(rows) // 4]:
        across = np.flatnonzero(body[row])
        extent = np.ptp(across) + 1
        if abs(across.mean() - middle) > 0.2 * widths.max():  # a strap
            return int(row)
        foreign = plain and np.linalg.norm(np.median(lab[row, body[row]], axis=0) - colour) > 15
        if extent > (0.22 if foreign else 0.12) * widths.max():
            return int(row)
    return int(rows[len(rows) // 4])
