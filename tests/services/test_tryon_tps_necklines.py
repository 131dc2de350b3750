"""What is taken for the inside of the back, on drawn garments (`bench/necklines.py` counts many)."""

import pytest

from bench.necklines import EATEN, MISSED, PARSER, PRINTS, drawn, judged
from services.tryon.engines.tps.garment import read_garment


def of_print(print_, with_back, count):
    """Garments with this print."""
    numbers = range(PRINTS.index(print_), 10_000, len(PRINTS))
    return list(drawn([n for n in numbers if (n // len(PRINTS) % 3 != 0) == with_back][:count]))


@pytest.mark.parametrize("print_, most", [("nothing", 2), ("head", 4)])
def test_of_a_front_alone_little_is_taken_for_a_back(print_, most):
    """Of eight; before the shade above the edge counted, three and all eight."""
    garments = of_print(print_, with_back=False, count=8)
    assert sum(judged(one, read_garment(PARSER, one.cloth, one.mask))[0] > EATEN for one in garments) <= most


def test_the_inside_of_the_back_is_found():
    for one in of_print("text", with_back=True, count=3):
        eaten, found = judged(one, read_garment(PARSER, one.cloth, one.mask))
        assert eaten < EATEN and found > MISSED, one.name
