"""What the trainings learn from. Run by `make test-training`."""

import shutil

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="no Torch here: `make test-training` has it")

from howsfit.dataset.layout import PLACES, pairs_file, pairs_of, path_of  # noqa: E402
from howsfit.dataset.shards import write_shards  # noqa: E402
from howsfit.train import sources  # noqa: E402
from services.tryon.engines.hr_viton.inputs import merge  # noqa: E402
from training.data import OF_CONDITION, OF_GENERATOR, Order, Pairs, SampleBroken, batches  # noqa: E402

NAME = "00001_00"


def test_pictures_are_averaged_and_labels_taken_from_the_middle(drawn):
    pairs = Pairs(sources.pairs(drawn, "train", OF_CONDITION), OF_CONDITION, 256)
    sample = pairs[0]
    assert sample["name"] == NAME
    photo, parse, mask = (
        np.asarray(Image.open(path_of(drawn, "train", artifact, NAME)))
        for artifact in ("person", "parse", "cloth_mask")
    )
    assert np.array_equal(sample["parse"], merge(parse[2::4, 2::4])), "every fourth pixel, from the third on"
    assert np.array_equal(sample["cloth_mask"][0], mask[2::4, 2::4] >= 128)
    inside = photo[2:-2, 2:-2].reshape(255, 4, 191, 4, 3).mean((1, 3))
    assert np.abs(sample["person"].permute(1, 2, 0)[:-1, :-1].numpy() - inside).mean() < 4
    assert {sample[name].dtype for name in OF_CONDITION} == {torch.uint8}


def test_the_garment_is_the_persons_own_whatever_the_list_says(drawn, tmp_path):
    root = shutil.copytree(drawn, tmp_path / "set")
    names = [pair.person for pair in pairs_of(pairs_file(root, "train"))]
    lines = (f"{name}.jpg {other}.jpg\n" for name, other in zip(names, names[::-1], strict=True))
    pairs_file(root, "train").write_text("".join(lines))
    for pair in sources.pairs(root, "train", OF_CONDITION):
        assert pair.places["cloth"].path.endswith(f"cloth/{pair.name}.jpg")


def test_shards_give_what_the_folder_gives(drawn, tmp_path):
    artifacts = [artifact for artifact in OF_GENERATOR if artifact not in ("person", "cloth")]
    write_shards(drawn, "train", pairs_of(pairs_file(drawn, "train")), artifacts, tmp_path, 10**6)
    assert len(list(tmp_path.glob("*.tar"))) > 1
    of_folder, of_shards = (
        Pairs(sources.pairs(root, "train", OF_GENERATOR), OF_GENERATOR, 256) for root in (drawn, tmp_path)
    )
    assert len(of_folder) == len(of_shards) == 4
    for index in (2, 0):
        ours, theirs = of_folder[index], of_shards[index]
        assert all(torch.equal(ours[artifact], theirs[artifact]) for artifact in OF_GENERATOR)
    (tmp_path / "train-000001.tar").write_bytes(b"")
    with pytest.raises(sources.DataBroken, match="train-000001.tar.*Copy or write"):
        sources.pairs(tmp_path, "train", OF_GENERATOR)
    with pytest.raises(sources.DataBroken, match="hold no parse"):
        sources.pairs(tmp_path, "train", OF_CONDITION)


def test_shards_of_people_in_others_garments_are_refused(drawn, tmp_path):
    pairs = list(pairs_of(pairs_file(drawn, "test", unpaired=True)))
    write_shards(drawn, "test", pairs, ["cloth_mask"], tmp_path, 10**9)
    with pytest.raises(sources.DataBroken, match="her name"):
        sources.pairs(tmp_path, "test", ("person", "cloth"))


def test_a_folder_without_what_preprocessing_makes_names_the_command(drawn, tmp_path):
    root = shutil.copytree(drawn, tmp_path / "set")
    shutil.rmtree(root / "train" / PLACES["densepose"].folder)
    with pytest.raises(
        sources.DataBroken, match="densepose of 4, first train/image-densepose.*howsfit dataset preprocess"
    ):
        sources.pairs(root, "train", OF_CONDITION)


def test_a_file_that_cannot_be_taken_is_named(drawn, tmp_path):
    root = shutil.copytree(drawn, tmp_path / "set")
    path = path_of(root, "train", "densepose", NAME)
    Image.new("RGB", (768, 1000)).save(path)
    with pytest.raises(SampleBroken, match=f"{path}.*768 x 1000 pixels, which is not 3:4.*dataset check"):
        Pairs(sources.pairs(root, "train", OF_CONDITION), OF_CONDITION, 256)[0]
    pairs = Pairs(sources.pairs(root, "train", OF_CONDITION), OF_CONDITION, 256)
    for workers in (0, 1):
        with pytest.raises(SampleBroken, match=f"^densepose in '{path}'.*mend it.$"):
            list(batches(pairs, Order(4, 4, 0), range(1), workers))


def test_every_pair_comes_once_a_turn_and_a_step_decides_which():
    order = Order(10, 3, seed=5)
    turns = [sum((order.of(step) for step in range(start, start + 3)), []) for start in (0, 3)]
    assert all(len(set(turn)) == 9 for turn in turns) and turns[0] != turns[1]
    assert Order(10, 3, seed=5).of(4) == order.of(4) != Order(10, 3, seed=6).of(4)
    with pytest.raises(ValueError, match="smaller --batch"):
        Order(2, 3, 0)


def test_processes_share_a_batch_and_a_training_goes_on_anywhere(drawn):
    pairs = Pairs(sources.pairs(drawn, "train", OF_CONDITION), ("cloth",), 256)
    order = Order(4, 2, 1)

    def names(steps, rank=0, ranks=1):
        return [batch["name"] for batch in batches(pairs, order, steps, 0, rank, ranks)]

    whole = names(range(5))
    assert names(range(3, 5)) == whole[3:]
    assert [a + b for a, b in zip(names(range(5), 0, 2), names(range(5), 1, 2), strict=True)] == whole


def test_a_broken_set_is_refused_and_a_sound_one_is_checked_once(drawn, tmp_path):
    from rich.console import Console

    root, run, told = shutil.copytree(drawn, tmp_path / "set"), tmp_path / "run", []
    quiet = Console(file=(tmp_path / "out").open("w"), width=200)

    def check():
        told.clear()
        sources.check(root, run, quiet, told.append, lambda: None)

    check()
    assert told == [12]
    check()
    assert told == [], "nothing changed"
    path_of(root, "train", "densepose", NAME).write_bytes(b"")
    with pytest.raises(sources.DataBroken, match="has 1 errors.*dataset check .* --mend"):
        check()
