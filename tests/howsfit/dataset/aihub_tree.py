"""A small tree in the layout of AI Hub's data set, drawn: people and garments of flat colours, with their labels and joints."""

import json

import numpy as np
from PIL import Image

from tests.howsfit.dataset import figures

HALVES = {
    "Training": (
        "[라벨]2021_Fashion_train_labels",
        "[원천]2021_Fashion_train_itemimages",
        "[원천]2021_Fashion_train_modelimages",
    ),
    "Validation": ("[라벨]2021_Fashion_val_labels", "[원천]2021_Fashion_val_images", "[원천]2021_Fashion_val_images"),
}
"""Half -> the folders of its labels, of its garments and of its people."""

INFO = {"Training": "wearing_info_train.json", "Validation": "wearing_info.json"}
POSES = {"Training": "model-pose_f", "Validation": "Model-Pose_f"}


class AiHub:
    """Draws into `root` as it is told; `finish` writes what is worn."""

    def __init__(self, root, folders=HALVES):
        self.root = root
        self.folders = folders
        self.records = {half: [] for half in folders}

    def item(self, half, number, colour=(180, 60, 60), label=True):
        """A garment's pictures from the front and from the back, and the labels of the first."""
        labels, pictures, _ = self._folders(half)
        for side in "FB":
            save(figures.garment(colour, back=side == "B"), pictures / "Item-Image" / f"{number}_{side}.jpg")
        if label:
            write(labels / "Item-Parse_f" / f"{number}_F.json", regions(figures.GARMENT) | item_notes())

    def wearer(self, half, name, main_top, inner_top=None, turned=False, picture=True, label=None, ending="", **figure):
        """A person's frontal photo with its labels, and one from the side. label: the labels' name, where it is another."""
        labels, _, pictures = self._folders(half)
        person = figures.Person(**figure)
        for angle in ("000", "045"):
            wearing = f"{name}_{angle}{ending}"
            self.records[half].append(record(f"{wearing}.jpg", main_top, inner_top))
            image = person.photo() if angle == "000" else person.photo()[:, ::-1]
            if turned:
                image = np.rot90(image)  # that turning by 270 degrees against the clock brings it upright
            if picture:
                save(image, pictures / "Model-Image_deid" / f"{wearing}.jpg")
        named = label or f"{name}_000{ending}"
        write(labels / "Model-Parse_f" / f"{named}.json", regions(person.regions()) | {"width": 720, "height": 1280})
        write(labels / POSES[half] / f"{named}.json", {"landmarks": person.landmarks()})

    def finish(self):
        for half, records in self.records.items():
            write(self._folders(half)[0] / INFO[half], records)

    def _folders(self, half):
        return [self.root / half / folder for folder in self.folders[half]]


def record(wearing, main_top, inner_top=None):
    return {
        "wearing": wearing,
        "hat": None,
        "main_top": main_top,
        "inner_top": inner_top,
        "bottom": "1_B",
        "shoes": None,
    }


def regions(polygons):
    """Of (category, corners) from the lowest to the topmost."""
    return {
        f"region{number}": {"category_id": category, "segmentation": [np.ravel(corners).tolist()]}
        for number, (category, corners) in enumerate(polygons, 1)
    }


def item_notes():
    return {"file_name": "x", "width": 800, "height": 900, "season": "s"}


def save(pixels, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.ascontiguousarray(pixels)).save(path, quality=95, subsampling=0)


def write(path, document):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")


def cut_short(path):
    path.write_bytes(path.read_bytes()[:2000])
