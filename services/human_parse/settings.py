"""Settings of this stage's engines, read from the environment like the chassis's own."""

from typing import NamedTuple, Tuple

from services.human_parse.multiscale import SCALES
from stagekit.settings import read_over


class ParseSettings(NamedTuple):
    """Each is read from `HOWSFIT_` + its name in capitals."""

    parse_scales: str = "0.5,0.75,1,1.25,1.5,1.75"
    """Scales at which the trained parsers look at the picture, of the six published ones; `1` alone is the quick mode."""


def read_scales() -> Tuple[float, ...]:
    """The scales to parse at, smallest first. Raises ValueError naming the setting for any but the published ones."""
    setting = read_over(ParseSettings()).parse_scales
    try:
        scales = tuple(sorted({float(scale) for scale in setting.split(",")}))
    except ValueError:
        scales = ()
    if not scales or not set(scales) <= set(SCALES):
        known = ", ".join("%g" % scale for scale in SCALES)
        raise ValueError("HOWSFIT_PARSE_SCALES must be some of %s, separated by commas, not %r." % (known, setting))
    return scales
