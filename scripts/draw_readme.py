"""Draw the pictures of the README, after `make demo` and `make test-web`.

docs/tryon.jpg has photo, garment and result side by side; docs/web.jpg is a screenshot of the tests, made smaller.
"""

from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parents[1]
PICTURES = ("howsfit/samples/person.jpg", "howsfit/samples/garment_tee.jpg", "out/tryon.png")
HEIGHT, GAP = 560, 24
SCREENSHOT = "out/web/tryon-done.png"
SCREENSHOT_WIDTH = 960


def main() -> None:
    pictures = [Image.open(ROOT / name).convert("RGB") for name in PICTURES]
    pictures = [picture.resize((round(picture.width * HEIGHT / picture.height), HEIGHT)) for picture in pictures]
    strip = Image.new("RGB", (sum(p.width for p in pictures) + GAP * (len(pictures) - 1), HEIGHT), "white")
    left = 0
    for picture in pictures:
        strip.paste(picture, (left, 0))
        left += picture.width + GAP
    strip.save(ROOT / "docs" / "tryon.jpg", quality=88)
    draw_web_app()


def draw_web_app() -> None:
    page = Image.open(ROOT / SCREENSHOT).convert("RGB")
    size = (SCREENSHOT_WIDTH, round(page.height * SCREENSHOT_WIDTH / page.width))
    page.resize(size, Image.Resampling.LANCZOS).save(ROOT / "docs" / "web.jpg", quality=82, optimize=True)


if __name__ == "__main__":
    main()
