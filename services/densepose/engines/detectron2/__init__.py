"""DensePose itself, by Detectron2."""
