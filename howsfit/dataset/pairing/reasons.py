"""Why a picture is not in the data set, or not as its source had it."""

from enum import Enum
from typing import NamedTuple


class Reason(Enum):
    """What is told, and what to do about it."""

    KNOWN_BROKEN = ("known to be broken in this source", "Nothing.")
    NO_GARMENT = ("its record names no garment", "Nothing, if it is so in the source.")
    TWICE = ("named by two records", "Nothing: it is in the data set once.")
    NO_NAME = ("its record does not name its file", "See that the description's 'file' names fields that records have.")
    NO_PHOTO = ("the photo is missing", "Fetch it, and run the command again: it gets the place that is kept for it.")
    NO_CLOTH = ("the picture of its garment is missing", "Fetch that, and run the command again.")
    BROKEN = ("broken or cut short", "Fetch it anew, and run the command again.")
    UNFIT_CLOTH = ("the picture of its garment cannot be taken", "See what is said of that.")
    WRONG_SIZE = ("not of the size that its labels are for", "See whether it is the right file; else mend person.size.")
    NOT_FRAMED = ("not 768 x 1024, though said to be framed", "Let its 'frame' be another than 'as is'.")
    NOBODY = ("nobody was found in it", "Nothing, if there is nobody; else give it labels to be framed by.")
    LEAK = (
        "moved from test to train, where its garment is worn, too",
        "Nothing: test has no garment that is trained on.",
    )
    NO_LABEL = ("its source has no label for it", "`howsfit dataset preprocess` makes one.")
    BAD_LABEL = ("its label cannot be read, or has another size", "`howsfit dataset preprocess` makes one.")

    @property
    def told(self) -> str:
        text: str = self.value[0]
        return text

    @property
    def to_do(self) -> str:
        text: str = self.value[1]
        return text

    @property
    def outcome(self) -> str:
        if self is Reason.LEAK:
            return "moved"
        return "kept" if self in (Reason.NO_LABEL, Reason.BAD_LABEL) else "dropped"


class Finding(NamedTuple):
    """file: below the source's folder, or as a record names it."""

    file: str
    reason: Reason
    about: str = ""

    def told(self) -> str:
        return f"{self.reason.told}: {self.about}" if self.about else self.reason.told


class Unfit(Exception):
    """A picture cannot be in the data set."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.told)
        self.reason = reason
