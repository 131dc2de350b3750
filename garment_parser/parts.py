"""What the garment parser tells apart. No imports here: those who draw garments to learn from have no ONNX Runtime."""

PARTS = (
    "ground",
    "trunk",
    "left_sleeve",
    "right_sleeve",
    "inside",
    "collar",
    "strap",
    "left_leg",
    "right_leg",
    "skirt",
)
"""Label -> part; left and right as seen in the picture. `inside` is the garment's back seen through its openings, and what
hangs behind the neck (a hood); `collar` is what stands up along the neck or lies folded on the shoulders."""

PAIRS = (
    "collar",
    "collar_top",
    "shoulder",
    "armpit",
    "cuff_outer",
    "cuff_inner",
    "waist",
    "hem",
    "leg_outer",
    "leg_inner",
)
"""Landmarks of either side. `collar`: the shoulder seam's end at the neck, or a strap's inner edge on the shoulder;
`collar_top`: the upper corner of a collar that stands; `shoulder`: the shoulder seam's outer end, or a strap's outer edge;
`waist`: of trousers and skirts the waistband's upper corner, of dresses the waist's side; `hem`: the lower corner of a top, a
dress or a skirt."""

SINGLES = ("neck", "crotch")
"""Landmarks of the middle. `neck`: the lowest point of the front edge of the opening."""

LANDMARKS = tuple(f"{side}_{name}" for name in PAIRS for side in ("left", "right")) + SINGLES

CATEGORIES = ("upper", "lower", "dress")

SLEEVES = ("none", "short", "three-quarter", "long")

WIDTH, HEIGHT = 192, 256
"""Pixels of the picture that the network sees."""

MARGIN = 0.05
"""Of that picture, around the garment on every side."""
