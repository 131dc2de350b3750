"""What the contact sheet of a comparison shows. Pure: documents and pictures in, a picture out."""

from collections.abc import Mapping

from gateway.documents import ComparisonDocument, VariantDocument
from gateway.pictures.provenance import packet_of_all, with_packet
from gateway.pictures.sheet import Tile, draw_sheet
from stagekit.wire import Part

PERSON, GARMENT = ("photo", "person"), ("garment", "cloth")
"""What a comparison begins with: an upload, or what was given in its place."""

_WITHOUT = {
    "queued": "It waits for its turn.",
    "processing": "It is being made.",
    "canceled": "It was canceled.",
    "deleted": "It was deleted.",
}
"""Status -> the sentence in the place of the picture."""


def tiles_of(document: ComparisonDocument, begun: Mapping[str, Part], made: Mapping[str, Part]) -> list[Tile]:
    """The photo, the garment, then every variant.

    begun: what the try-ons begin with, by name. made: try-on -> its picture, of those that there are.
    """
    beginnings = [
        Tile(title, picture=next((begun[name] for name in names if name in begun), None), sentence=_WITHOUT["deleted"])
        for title, names in (("Photo", PERSON), ("Garment", GARMENT))
    ]
    return beginnings + [_tile(variant, made.get(variant.tryon_id)) for variant in document.variants]


def drawn_sheet(document: ComparisonDocument, begun: Mapping[str, Part], made: Mapping[str, Part]) -> Part:
    """The sheet of these tiles as a PNG, which says of itself what its pictures say."""
    sheet = Part(draw_sheet(tiles_of(document, begun, made)), "image/png")
    packet = packet_of_all((part.data for part in made.values()), document.created_at.date())
    return sheet if packet is None else with_packet(sheet, packet)


def _tile(variant: VariantDocument, picture: Part | None) -> Tile:
    error = variant.error or {}
    sentence = _WITHOUT.get(variant.status) or error.get("detail") or error.get("title") or "It failed."
    seconds = "" if variant.seconds is None else f"{variant.seconds:.1f} s"
    engine = variant.engine if variant.engine != variant.label else ""
    lines = [
        ", ".join(filter(None, (engine, seconds))),
        f"Licence: {variant.licence}" if variant.licence else "",
        f"Commercial use: {variant.commercial}" if variant.commercial else "",
        "Warnings: " + ", ".join(dict.fromkeys(w.code for w in variant.warnings)) if variant.warnings else "",
    ]
    return Tile(variant.label, [line for line in lines if line], picture, sentence, failed=variant.status == "failed")
