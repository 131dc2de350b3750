"""Traps of label maps: the parse, and the parse without the garment."""

import numpy as np

from howsfit.dataset.checks.opened import File
from howsfit.dataset.checks.rewriting import labels_file
from howsfit.dataset.checks.traps import of_files
from stagekit.formats import CIHP, CIHP_LABELS
from stagekit.label_colours import labels_of_map, labels_of_palette

MAPS = ("parse", "parse_agnostic")
GARMENT = [CIHP[name] for name in ("upper_clothes", "dress", "coat")]
LOWER = [CIHP[name] for name in ("pants", "skirt")]
LEGS = [CIHP[name] for name in ("left_leg", "right_leg", "socks")]

_MOST_FOREIGN = 0.01  # of what is labelled in the parse without the garment; the published files have none
_MOST_LEFT = 0.05  # share of the garment's labels that stay
_LARGE = 0.02  # share of a picture that no sunglasses have
_SCARF = 0.005  # share of a picture that a face has
_BELOW = 0.2  # picture heights
_VOC = ((0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0), (0, 0, 128), (128, 0, 128))


def of_colours(file: File) -> bytes | None:
    """Exact: where a single pixel has none of the labels' colours, nothing is written."""
    assert file.image is not None
    labels = labels_of_map(file.image)
    return None if labels is None else labels_file(labels, file.path)


@of_files(
    "colour-labels",
    on=MAPS,
    means="It is a picture of the labels, not the labels: loaders want one id for each pixel, in a palette or grey "
    "PNG.",
    mend="Write the ids. Colours of the CIHP labels tell them exactly; those of a JPEG or of another palette do not.",
    safe=of_colours,
    last=True,
)
def colour_labels(file: File) -> str | None:
    assert file.image is not None
    if file.image.mode in ("L", "P", "1"):
        return None
    if file.image.mode in ("RGB", "RGBA") and file.image.format != "JPEG" and labels_of_map(file.image) is not None:
        return f"mode {file.image.mode}, in the colours of the CIHP labels"
    others = (
        ", blurred by JPEG" if file.image.format == "JPEG" else ", in the VOC colours" if _is_voc(file.pixels) else ""
    )
    return f"mode {file.image.mode}{others or ', in other colours than those of the CIHP labels'}"


def _is_voc(pixels: np.ndarray) -> bool:
    if pixels.ndim != 3:
        return False
    seen = {tuple(colour) for colour in np.unique(pixels[::4, ::4, :3].reshape(-1, 3), axis=0).tolist()}
    return len(seen & set(_VOC)) >= 3


def _by_palette(file: File) -> np.ndarray | None:
    """Ids of a palette that has the labels' colours under other numbers; None where it has not."""
    assert file.image is not None
    if file.image.mode != "P":
        return None
    used = np.flatnonzero(file.counts)
    labels = labels_of_palette(file.image, used)
    if None in labels or labels == used.tolist():
        return None
    table = np.zeros(256, np.uint8)
    table[used] = labels
    return np.asarray(table[file.pixels])


def of_palette(file: File) -> bytes | None:
    labels = _by_palette(file)
    return None if labels is None else labels_file(labels, file.path)


@of_files(
    "moved-palette",
    on=MAPS,
    means="A program gave the labels' colours numbers of its own: it looks right, but the ids that loaders read are "
    "others.",
    mend="Write the ids that the colours stand for.",
    safe=of_palette,
    last=True,
)
def moved_palette(file: File) -> str | None:
    return None if _by_palette(file) is None else f"id {int(np.flatnonzero(file.counts)[-1])} is another label's colour"


@of_files(
    "lossy-labels",
    on=MAPS,
    means="The ids went through JPEG, which blurs numbers into others; along every edge there are labels that are not "
    "there.",
    mend="Make it again as PNG. What JPEG changed cannot be told from the rest.",
    last=True,
)
def lossy_labels(file: File) -> str | None:
    assert file.image is not None
    return f"{int((file.counts > 0).sum())} ids in a JPEG" if file.image.format == "JPEG" else None


@of_files(
    "ids-over-19",
    on=MAPS,
    means="It has ids that are no labels: one-hot planes are indexed by them, and the loader stops or writes beside "
    "the array.",
    mend="255 marks outlines in some data sets: give those pixels the label beside them. Others come from a grey "
    "rendering or "
    "another label order: make the map again.",
    last=True,
)
def ids_over_19(file: File) -> str | None:
    above = np.flatnonzero(file.counts[len(CIHP_LABELS) :]) + len(CIHP_LABELS)
    if not len(above):
        return None
    told = ", ".join(str(each) for each in above[:4].tolist()) + (", …" if len(above) > 4 else "")
    share = file.counts[len(CIHP_LABELS) :].sum() / file.pixels.size
    return f"{told} on {share:.1%} of it"


@of_files(
    "empty-labels",
    on=MAPS,
    means="Nothing is labelled: the parser found nobody.",
    mend="Parse the photo again, or take the sample out.",
    last=True,
)
def empty_labels(file: File) -> str | None:
    return "all background" if file.counts[0] == file.pixels.size else None


@of_files(
    "atr-order",
    on=("parse",),
    means="The ids seem to be in ATR's order, in which 4 is the top and 11 the face: every garment would be taken for "
    "another.",
    mend="Map the ids to CIHP's order (docs/human_parse.md), or parse again with CIHP_PGN or Graphonomy.",
    level="warning",
    last=True,
)
def atr_order(file: File) -> str | None:
    share = file.counts / file.pixels.size
    if share[CIHP["sunglasses"]] > _LARGE:
        return f"sunglasses on {share[CIHP['sunglasses']]:.0%} of the picture"
    if share[CIHP["scarf"]] > _SCARF:
        # ATR's 11 is the face, its 13 the right leg.
        scarf, face = (np.nonzero(file.pixels == CIHP[name])[0] for name in ("scarf", "face"))
        if not len(face):
            return "a scarf, but no face"
        if face.mean() > scarf.mean() + _BELOW * file.pixels.shape[0]:
            return "the face is far below the scarf"
    return None


@of_files(
    "voc-palette",
    on=MAPS,
    means="Its palette is that of the VOC colours, as SCHP writes it. SCHP's LIP model has jumpsuits where CIHP has "
    "the neck (id 10), "
    "its ATR model has another order altogether.",
    mend="See which model made it. The palette itself matters to nobody.",
    level="warning",
)
def voc_palette(file: File) -> str | None:
    assert file.image is not None
    palette = (file.image.getpalette() or []) if file.image.mode == "P" else []
    return "VOC colours" if palette[: 3 * len(_VOC)] == [value for colour in _VOC for value in colour] else None


@of_files(
    "parse-agnostic-differs",
    on=("parse_agnostic",),
    means="It labels what the parse labels otherwise: it was made of another parse, or of another version of it.",
    mend="Make it again: howsfit dataset preprocess --only parse_agnostic.",
)
def parse_agnostic_differs(file: File) -> str | None:
    agnostic, parse = file.sample.labels("parse_agnostic"), file.sample.labels("parse")
    if agnostic is None or parse is None:
        return None
    labelled = agnostic > 0
    foreign = np.count_nonzero(agnostic[labelled] != parse[labelled]) / max(1, np.count_nonzero(labelled))
    return f"{foreign:.0%} of its labels are not those of the parse" if foreign > _MOST_FOREIGN else None


@of_files(
    "parse-agnostic-garment",
    on=("parse_agnostic",),
    means="The worn garment is still labelled in it: the network is told what it should find.",
    mend="Make it again: howsfit dataset preprocess --only parse_agnostic.",
)
def parse_agnostic_garment(file: File) -> str | None:
    agnostic, parse = file.sample.labels("parse_agnostic"), file.sample.labels("parse")
    if agnostic is None or parse is None:
        return None
    now, before = file.counts, file.sample.files["parse"].counts
    # Of a set of trousers and skirts it is those that go.
    left = [now[group].sum() / before[group].sum() for group in (GARMENT, LOWER + LEGS) if before[group].sum()]
    return f"{left[0]:.0%} of the garment's labels stay" if left and min(left) > _MOST_LEFT else None
