"""The weights of the networks that compare pictures: here, whole, and of which digest. Nothing is downloaded by itself."""

import contextlib
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from howsfit.weights.sets import every_set
from stagekit.errors import WeightsMissing
from stagekit.weights import all_weights, check, read_lock


class Backbone(NamedTuple):
    """A file of weights that is as it should be."""

    path: Path
    digest: str
    licence: str
    trust: str
    """published, recorded or unrecorded: docs/weights.md."""


def backbones(keys: Iterable[str], folder: Path | None = None) -> dict[str, Backbone]:
    """File -> the file, of the sets with these keys. folder: that of all weights.

    Raises WeightsMissing with the command that brings them.
    """
    where = folder or Path(all_weights())
    lock = read_lock(str(where))
    found, wrong, lacking = {}, [], []
    for key in keys:
        weights = every_set()[key]
        for file in weights.files:
            state = check(str(where), weights, file, lock)
            if state.good:
                path = where / weights.engine / file.name
                found[file.name] = Backbone(path, state.digest, weights.licence, state.state)
            else:
                wrong.append(state.told)
                lacking.append(key)
    if wrong:
        command = f"howsfit weights pull {' '.join(dict.fromkeys(lacking))}"
        raise WeightsMissing(
            f"The networks that compare pictures are not in {where}: {'; '.join(wrong)}. `{command}` fetches them, once their "
            "licences are accepted; docs/weights.md says how without a network.",
            command,
        )
    return found


@contextlib.contextmanager
def torch_hub(files: Iterable[Path]) -> Iterator[None]:
    """While it lasts, libraries that take weights from Torch's cache find these there, and fetch none."""
    import torch

    before = torch.hub.get_dir()
    with tempfile.TemporaryDirectory(prefix="howsfit-") as folder:
        checkpoints = Path(folder) / "checkpoints"
        checkpoints.mkdir()
        for path in files:
            (checkpoints / path.name).symlink_to(path.resolve())
        torch.hub.set_dir(folder)
        try:
            yield
        finally:
            torch.hub.set_dir(before)
