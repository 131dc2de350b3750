"""A drawn data set for all tests of the trainings."""

import pytest

from howsfit.dataset.drawn import draw_set


@pytest.fixture(scope="session")
def drawn(tmp_path_factory):
    """Four pairs to learn from, two held out."""
    root = tmp_path_factory.mktemp("drawn")
    draw_set(root, train=4, test=2)
    return root
