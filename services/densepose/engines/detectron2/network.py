"""The published network: its configuration, its weights, and one look at a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

import numpy as np
import torch
from densepose import add_densepose_config
from densepose.converters import resample_fine_and_coarse_segm_to_bbox
from densepose.converters.base import make_int_box
from detectron2.config import get_cfg
from detectron2.data.transforms import ResizeShortestEdge
from detectron2.modeling import build_model
from detectron2.modeling.postprocessing import detector_postprocess
from detectron2.structures import Instances
from torch import Tensor
from torch.nn import functional as F

from services.densepose.engines.detectron2.checkpoint import Arrays
from services.densepose.engines.detectron2.person import Found, choose

CONFIG = Path(__file__).with_name("config.yaml")


class Network:
    """densepose_rcnn_R_50_FPN_s1x, without weights at first.

    Source: Gueler et al., "DensePose: Dense Human Pose Estimation In The Wild", CVPR 2018; Detectron2's DensePose project.
    """

    def __init__(self, device: torch.device, side: int) -> None:
        """side: pixels of the shorter side at which pictures are looked at."""
        config = get_cfg()
        add_densepose_config(config)
        config.merge_from_file(str(CONFIG))
        config.MODEL.DEVICE = str(device)
        self._model = build_model(config).eval()
        self._resize = ResizeShortestEdge([side, side], config.INPUT.MAX_SIZE_TEST)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name -> shape of every array that the network needs."""
        return {name: tuple(tensor.shape) for name, tensor in self._model.state_dict().items()}

    def take(self, arrays: Arrays) -> None:
        """Fill the network with all its arrays. Raises RuntimeError when they are not those of `shapes`."""
        self._model.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})

    def look(self, image: np.ndarray) -> Optional[Found]:
        """The largest person in the picture, or None where nobody is.

        image: (h, w, 3) uint8 RGB. Only that person's body is looked at closely: further people cost next to nothing.
        """
        height, width = image.shape[:2]
        with torch.no_grad():
            pixels = self._resize.get_transform(image).apply_image(image[:, :, ::-1])  # it was trained on BGR
            planes = torch.from_numpy(pixels.astype(np.float32).transpose(2, 0, 1))
            # What the model's own `inference` does, but for the choice.
            images = self._model.preprocess_image([{"image": planes}])
            features = self._model.backbone(images.tensor)
            proposals, _ = self._model.proposal_generator(images, features, None)
            heads = self._model.roi_heads
            people = heads._forward_box(features, proposals)[0]
            if not len(people):
                return None
            largest = choose(people.pred_boxes.tensor.cpu().numpy(), people.scores.cpu().numpy())
            chosen = heads.forward_with_given_boxes(features, [people[[largest]]])[0]
            chosen = detector_postprocess(chosen, height, width)
            if not len(chosen):
                return None
            return to_found(chosen)


def to_found(person: Instances) -> Found:
    """The body of the only person in `person`, resampled to its box as DensePose's own converter does it."""
    box = person.pred_boxes.tensor[0]
    left, top, width, height = make_int_box(torch.cat((box[:2], box[2:] - box[:2])))
    seen = person.pred_densepose
    parts = resample_fine_and_coarse_segm_to_bbox(seen, (left, top, width, height))

    def on_the_parts(planes: Tensor) -> np.ndarray:
        with torch.no_grad():
            enlarged = F.interpolate(planes, parts.shape[1:], mode="bilinear", align_corners=False)
            return (enlarged.gather(1, parts[None])[0, 0] * (parts[0] > 0)).cpu().numpy()

    return Found(left, top, parts[0].cpu().numpy(), lambda: on_the_parts(seen.u), lambda: on_the_parts(seen.v))
