"""What the label maps of a part hold: which labels, in how many of them, on how much of the picture."""

from typing import Any

import numpy as np

from stagekit.formats import CIHP_LABELS, CIHP_PALETTE


class Statistics:
    """Takes in one map after the other; of none anything is kept but sums."""

    def __init__(self) -> None:
        self.maps = 0
        self._in, self._sum = np.zeros(len(CIHP_LABELS), int), np.zeros(len(CIHP_LABELS))
        self._most = np.zeros(len(CIHP_LABELS))

    def add(self, shares: np.ndarray) -> None:
        """shares: (20,) of a picture, that each label has."""
        self.maps += 1
        self._in += shares > 0
        self._sum += shares
        self._most = np.maximum(self._most, shares)

    def document(self) -> list[dict[str, Any]]:
        return [
            {
                "id": number,
                "label": label.replace("_", " "),
                "colour": "#{:02x}{:02x}{:02x}".format(*CIHP_PALETTE[number]),
                "maps": int(self._in[number]),
                "share_of_maps": round(float(self._in[number] / max(1, self.maps)), 4),
                "mean_where_there": round(float(self._sum[number] / max(1, self._in[number])), 4),
                "most": round(float(self._most[number]), 4),
            }
            for number, label in enumerate(CIHP_LABELS)
        ]
