"""DensePose: python -m tests.parity detectron2 PHOTO --weights FOLDER

There is no golden run: the published implementation is installed beside ours. Detectron2's own predictor loads the file with
Detectron2's own reader; DensePose's own extractor and visualiser make the picture, with alpha 1 on black.
"""

import argparse
import sys

import numpy as np
import torch
from densepose import add_densepose_config
from densepose.vis.densepose_results import DensePoseResultsFineSegmentationVisualizer
from densepose.vis.extractor import DensePoseResultExtractor
from detectron2.config import get_cfg
from detectron2.engine.defaults import DefaultPredictor
from PIL import Image

from services.densepose.engines.detectron2.checkpoint import FILE, read
from services.densepose.engines.detectron2.network import CONFIG, Network, to_found
from services.densepose.engines.detectron2.person import choose, paint, part_map, surface_map

SIDE = 800


def main(arguments):
    parser = argparse.ArgumentParser(prog="python -m tests.parity detectron2", description=__doc__)
    parser.add_argument("photo", help="768 x 1024")
    parser.add_argument("--weights", required=True, help="folder with %s" % FILE)
    parser.add_argument("--config", default=str(CONFIG), help="Detectron2's own densepose_rcnn_R_50_FPN_s1x.yaml")
    options = parser.parse_args(arguments)
    photo = np.array(Image.open(options.photo).convert("RGB").resize((768, 1024)))

    person = published(options, photo)
    picture, iuv = published_picture(person)
    same = to_found(person)
    report("picture, on the same output", paint(part_map(same)), picture)
    report("U and V, on the same output", np.stack([surface_map(same, p()) for p in (same.u, same.v)]), iuv[1:])

    network = Network(torch.device("cpu"), SIDE)
    network.take(read(options.weights, network.shapes()))
    found = network.look(photo)
    report("picture, from the photo", paint(part_map(found)), picture)
    print("parts in use: %s" % ", ".join(map(str, np.unique(iuv[0]))))


def published(options, photo):
    """Detectron2's `Instances` of the person whom we would choose."""
    config = get_cfg()
    add_densepose_config(config)
    config.merge_from_file(options.config)
    config.MODEL.WEIGHTS = "%s/%s" % (options.weights, FILE)
    config.MODEL.DEVICE = "cpu"
    config.MODEL.ROI_HEADS.SCORE_THRESH_TEST = 0.8
    people = DefaultPredictor(config)(np.ascontiguousarray(photo[:, :, ::-1]))["instances"]
    print("people found: %d" % len(people))
    return people[[choose(people.pred_boxes.tensor.numpy(), people.scores.numpy())]]


def published_picture(person):
    """(1024, 768, 3) RGB, and (3, 1024, 768) I, U and V as DensePose's own image files have them."""
    canvas = np.zeros((1024, 768, 3), np.uint8)
    results, boxes = DensePoseResultExtractor()(person)
    picture = DensePoseResultsFineSegmentationVisualizer(alpha=1.0).visualize(canvas, (results, boxes))[:, :, ::-1]
    left, top, width, height = (int(number) for number in boxes[0])
    iuv = np.zeros((3, 1024, 768), np.uint8)
    surface = results[0].uv.clamp(0, 1) * 255
    box = (slice(None), slice(top, top + height), slice(left, left + width))
    iuv[box] = torch.cat((results[0].labels[None].float(), surface)).to(torch.uint8).numpy()
    return picture, iuv


def report(what, ours, published):
    different = int(np.count_nonzero(ours != published))
    print("%s: %d of %d values differ" % (what, different, published.size))
    if different:
        sys.exit("no parity")
