"""A drawn data set in the VITON-HD layout: photos and cloths, and nothing made of them yet."""

from pathlib import Path

from PIL import Image

from tests.howsfit.evaluation.drawn import photo

SIZE = (768, 1024)


def draw_set(root: Path, count: int, part: str = "test") -> Path:
    """So many persons and as many cloths, each with a first row of pixels that no other has; all pairs of the same number."""
    lines = []
    for number in range(count):
        name = f"{number:05}_00"
        for folder, blue in (("image", 200), ("cloth", 100)):
            picture = photo(number + blue, SIZE)
            picture[:16] = (16 + 8 * (number % 25), 16 + 8 * (number // 25), blue)
            path = root / part / folder / f"{name}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture).save(path, quality=95, subsampling=0)
        lines.append(f"{name}.jpg {name}.jpg\n")
    (root / f"{part}_pairs.txt").write_text("".join(lines))
    return root


def contents(root: Path) -> dict[str, bytes]:
    """Path below the folder -> what is in it, of all files."""
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}
