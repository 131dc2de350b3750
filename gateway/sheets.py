"""What the contact sheet of a comparison shows. Pure: documents and pictures in, a picture out."""

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.documents import ComparisonDocument, VariantDocument
from gateway.pictures.provenance import packet_of_all, with_packet
from gateway.pictures.sheet import Tile, draw_sheet
from gateway.pictures.words import WORDS, Words
from stagekit.wire import Part

PERSON, GARMENT = ("photo", "person"), ("garment", "cloth")
"""What a comparison begins with: an upload, or what was given in its place."""


def tiles_of(
    document: ComparisonDocument, begun: Sequence[Mapping[str, Part]], made: Mapping[str, Part], words: Words
) -> list[Tile]:
    """The photo, each garment, then every variant.

    begun: what the try-ons begin with for each garment, by name; the first has the person, too. made: try-on -> its picture, of
    those that there are.
    """
    titles = [words.garments[garment.category] for garment in document.garments] or [words.garment]
    beginnings = [
        Tile(
            title,
            picture=next((there[name] for name in names if name in there), None),
            sentence=words.without["deleted"],
        )
        for title, names, there in (
            (words.photo, PERSON, begun[0]),
            *((title, GARMENT, there) for title, there in zip(titles, begun, strict=True)),
        )
    ]
    return beginnings + [_tile(variant, made.get(variant.tryon_id), words) for variant in document.variants]


def drawn_sheet(
    document: ComparisonDocument, begun: Sequence[Mapping[str, Part]], made: Mapping[str, Part], language: str
) -> Part:
    """The sheet of these tiles as a PNG, which says of itself what its pictures say. language: one of LANGUAGES."""
    sheet = Part(draw_sheet(tiles_of(document, begun, made, WORDS[language])), "image/png")
    packet = packet_of_all((part.data for part in made.values()), document.created_at.date())
    return sheet if packet is None else with_packet(sheet, packet)


def _tile(variant: VariantDocument, picture: Part | None, words: Words) -> Tile:
    seconds = "" if variant.seconds is None else words.seconds.format(variant.seconds)
    engine = variant.engine if variant.engine != variant.label else ""
    doubts = dict.fromkeys(words.doubts.get(warning.code, warning.code) for warning in variant.warnings)
    lines = [
        ", ".join(filter(None, (engine, seconds))),
        f"{words.licence}: {variant.licence}" if variant.licence else "",
        f"{words.commercial}: {words.allowed[variant.commercial]}" if variant.commercial else "",
        f"{words.warnings}: {', '.join(doubts)}" if doubts else "",
    ]
    sentence = words.without.get(variant.status) or _reason(variant.error or {}, words)
    return Tile(variant.label, [line for line in lines if line], picture, sentence, failed=variant.status == "failed")


def _reason(error: Mapping[str, Any], words: Words) -> str:
    """Why there is no picture."""
    return words.problems.get(error.get("code", "")) or error.get("detail") or error.get("title") or words.failed
