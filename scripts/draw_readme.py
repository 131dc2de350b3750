"""Draw docs/tryon.jpg, the picture of the README: photo, garment and result side by side. Run after `make demo`."""

from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parents[1]
PICTURES = ("howsfit/samples/person.jpg", "howsfit/samples/garment_tee.jpg", "out/tryon.png")
HEIGHT, GAP = 560, 24


def main() -> None:
    pictures = [Image.open(ROOT / name).convert("RGB") for name in PICTURES]
    pictures = [picture.resize((round(picture.width * HEIGHT / picture.height), HEIGHT)) for picture in pictures]
    strip = Image.new("RGB", (sum(p.width for p in pictures) + GAP * (len(pictures) - 1), HEIGHT), "white")
    left = 0
    for picture in pictures:
        strip.paste(picture, (left, 0))
        left += picture.width + GAP
    strip.save(ROOT / "docs" / "tryon.jpg", quality=88)


if __name__ == "__main__":
    main()
