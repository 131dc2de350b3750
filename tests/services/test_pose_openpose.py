"""The OpenPose engine: people drawn as maps are read from them, and a real network's maps give the data set's joints."""

import json
import os
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("cv2", reason="opencv is not installed")

from services.pose.engines.openpose.decode import decode, find_peaks
from services.pose.engines.openpose.engine import Engine, in_pixels
from services.pose.engines.openpose.models import MODELS
from services.pose.engines.openpose.network import Network
from services.pose.engines.openpose.scales import Pyramid
from services.pose.engines.openpose.tensorflow_graph import with_constant_sizes
from services.pose.layouts import BODY_25, COCO_18
from stagekit.errors import NoPerson, WeightsMissing
from stagekit.formats import HEIGHT, WIDTH, keypoints

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = Path(os.environ.get("HOWSFIT_SAMPLES", ROOT / ".." / "shared" / "samples"))
WEIGHTS = Path(os.environ.get("HOWSFIT_WEIGHTS_SAMPLES", ROOT / ".." / "shared" / "weights"))
GRAPH, MAPS = WEIGHTS / "openpose_mobilenet_v2_small_coco.pb", WEIGHTS / "openpose_mobilenet_maps.npz"
needs_weights = pytest.mark.skipif(not (GRAPH.is_file() and MAPS.is_file()), reason=f"no weights to try in {WEIGHTS}")
needs_samples = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason="no sample photographs: set HOWSFIT_SAMPLES to their folder"
)
SKELETONS = {name: MODELS[name].skeleton for name in ("coco", "body_25")}

# Somebody upright, neck at 0, 0 and the torso one unit long; the person's right is on the left of the picture.
UPRIGHT = {
    "nose": (0, -0.4), "neck": (0, 0), "right_shoulder": (-0.35, 0.02), "right_elbow": (-0.5, 0.5),
    "right_wrist": (-0.55, 0.95), "left_shoulder": (0.35, 0.02), "left_elbow": (0.5, 0.5), "left_wrist": (0.55, 0.95),
    "mid_hip": (0, 1), "right_hip": (-0.22, 1), "right_knee": (-0.25, 1.75), "right_ankle": (-0.25, 2.5),
    "left_hip": (0.22, 1), "left_knee": (0.25, 1.75), "left_ankle": (0.25, 2.5), "right_eye": (-0.12, -0.5),
    "left_eye": (0.12, -0.5), "right_ear": (-0.24, -0.42), "left_ear": (0.24, -0.42), "left_big_toe": (0.38, 2.68),
    "left_small_toe": (0.55, 2.62), "left_heel": (0.16, 2.62), "right_big_toe": (-0.38, 2.68),
    "right_small_toe": (-0.55, 2.62), "right_heel": (-0.16, 2.62),
}  # fmt: skip


def somebody(layout, neck, torso, turn=0.0, hidden=(), **moved):
    """(joints, 3) in cells."""
    turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    joints = np.zeros((len(layout), 3))
    for number, name in enumerate(layout):
        if name not in hidden:
            joints[number] = *(np.array(neck) + torso * turned @ moved.get(name, UPRIGHT[name])), 1
    return joints


def drawn(people, skeleton, height, width, noise=0.0, seed=0):
    """The maps that a perfect network would give for these people (CVPR 2017, section 2.2 and 2.3), and some noise."""
    y, x = np.mgrid[:height, :width].astype(float)
    heat = np.zeros((len(skeleton.joints), height, width))
    fields = np.zeros((2 * len(skeleton.limbs), height, width))
    covered = np.zeros((len(skeleton.limbs), height, width))
    for person in people:
        for joint, (px, py, seen) in enumerate(person):
            if seen:
                heat[joint] = np.maximum(heat[joint], np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * 0.9**2)))
        for limb, (start, end) in enumerate(skeleton.limbs):
            (ax, ay, a_seen), (bx, by, b_seen) = (person[skeleton.joints.index(name)] for name in (start, end))
            length = np.hypot(bx - ax, by - ay)
            if a_seen and b_seen and length > 0:
                ux, uy = (bx - ax) / length, (by - ay) / length
                along, across = (x - ax) * ux + (y - ay) * uy, (x - ax) * uy - (y - ay) * ux
                on = (along >= -0.5) & (along <= length + 0.5) & (np.abs(across) <= 1)
                fields[2 * limb][on] += ux
                fields[2 * limb + 1][on] += uy
                covered[limb][on] += 1
    fields /= np.maximum(np.repeat(covered, 2, axis=0), 1)
    random = np.random.default_rng(seed)
    return heat + noise * random.standard_normal(heat.shape), fields + noise * random.standard_normal(fields.shape)


def assert_found(found, people, within):
    """Each drawn person is one of those found, with the joints that were drawn and no other."""
    assert len(found) == len(people)
    left = list(range(len(found)))
    for person in people:
        seen = person[:, 2] > 0
        far = [np.abs(found[other] - person)[seen, :2].max() for other in left]
        match = found[left.pop(int(np.argmin(far)))]
        assert min(far) < within
        assert np.array_equal(match[:, 2] > 0, seen)
        assert not match[~seen].any()


@pytest.mark.parametrize("model", SKELETONS)
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_people_drawn_as_maps_are_found(model, count):
    skeleton = SKELETONS[model]
    random = np.random.default_rng(count)
    people = [
        somebody(skeleton.joints, (22 + 26 * number, 22 + 4 * random.random()), 14 + 4 * random.random(),
                 turn=random.uniform(-0.25, 0.25))
        for number in range(count)
    ]  # fmt: skip
    found = decode(*drawn(people, skeleton, 92, 152, noise=0.02), skeleton)
    assert_found(found, people, within=0.15)


@pytest.mark.parametrize("model", SKELETONS)
def test_arms_that_cross_stay_with_their_people(model):
    skeleton = SKELETONS[model]
    one = somebody(skeleton.joints, (28, 20), 18, left_elbow=(0.75, 0.35), left_wrist=(1.25, 0.6))
    other = somebody(skeleton.joints, (60, 21), 17, right_elbow=(-0.7, 0.65), right_wrist=(-1.3, 0.2))
    assert_found(decode(*drawn([one, other], skeleton, 80, 90), skeleton), [one, other], within=0.3)


@pytest.mark.parametrize("model", SKELETONS)
def test_wrists_that_cross_in_front_of_one_body_are_not_swapped(model):
    skeleton = SKELETONS[model]
    person = somebody(skeleton.joints, (40, 20), 18, left_elbow=(0.45, 0.5), left_wrist=(-0.2, 0.55),
                      right_elbow=(-0.45, 0.5), right_wrist=(0.2, 0.58))  # fmt: skip
    assert_found(decode(*drawn([person], skeleton, 80, 80), skeleton), [person], within=0.3)


@pytest.mark.parametrize("model", SKELETONS)
def test_somebody_in_front_of_somebody_else(model):
    """Half a body's width apart, of other sizes, and the one behind lacks what the other hides."""
    skeleton = SKELETONS[model]
    front = somebody(skeleton.joints, (40, 22), 18)
    behind = somebody(skeleton.joints, (54, 17), 15, hidden=(
        "right_elbow", "right_wrist", "right_hip", "right_knee", "right_ankle", "right_heel", "right_big_toe",
        "right_small_toe",
    ))  # fmt: skip
    found = decode(*drawn([behind, front], skeleton, 80, 90, noise=0.02), skeleton)
    assert_found(found, [front, behind], within=0.4)
    assert found[0, 1, 0] < found[1, 1, 0], "the larger one is listed first"


@pytest.mark.parametrize("hidden", [("nose",), ("right_elbow", "right_wrist"), ("left_hip", "left_knee", "left_ankle"),
                                    ("right_eye", "left_eye", "right_ear", "left_ear", "nose")])  # fmt: skip
def test_missing_joints_are_zero_and_the_rest_is_found(hidden):
    skeleton = SKELETONS["coco"]
    person = somebody(COCO_18, (40, 20), 18, hidden=hidden)
    # Without a nose, ears hang on the shoulders.
    assert_found(decode(*drawn([person], skeleton, 80, 80, noise=0.02), skeleton), [person], within=0.3)


def test_a_wrist_without_its_elbow_belongs_to_nobody():
    skeleton = SKELETONS["coco"]
    person = somebody(COCO_18, (40, 20), 18, hidden=("left_elbow",))
    (found,) = decode(*drawn([person], skeleton, 80, 80), skeleton)
    assert not found[COCO_18.index("left_wrist")].any() and found[COCO_18.index("left_shoulder"), 2] > 0.8


@pytest.mark.parametrize("model", SKELETONS)
def test_crowds_with_crossing_arms_and_hidden_joints(model):
    """Two to five people, half a body apart, arms anywhere, some joints hidden: nearly every joint goes to its person.

    Number 55 tells whether the height of a peak counts in how sure a limb is.
    """
    skeleton = SKELETONS[model]
    right, known = 0, 0
    for seed in range(48, 60):
        random = np.random.default_rng(seed)
        people = [
            connected(crowded(skeleton, 24 + 15 * number, random), skeleton) for number in range(random.integers(2, 6))
        ]
        found = decode(*drawn(people, skeleton, 92, 120, noise=0.03, seed=seed), skeleton)
        assert len(found) == len(people)
        for person in people:
            seen = person[:, 2] > 0
            near = np.linalg.norm((found - person)[..., :2], axis=-1) < 0.6
            right += (near & (found[..., 2] > 0) & seen).sum(axis=1).max()
            known += seen.sum()
    assert right / known > 0.99


def crowded(skeleton, x, random):
    arms = ("right_elbow", "left_elbow", "right_wrist", "left_wrist")
    moved = {name: np.array(UPRIGHT[name]) + random.uniform(-0.35, 0.35, 2) for name in arms}
    hidden = [name for name in skeleton.joints if name != "neck" and random.random() < 0.1]
    neck, torso = (x + random.uniform(-2, 2), 24 + random.uniform(-4, 4)), random.uniform(13, 19)
    return somebody(skeleton.joints, neck, torso, random.uniform(-0.2, 0.2), hidden, **moved)


def connected(person, skeleton):
    """Without the joints that no chain of limbs leads to from the neck: no method could tell whose they are."""
    reached = {"neck"}
    limbs = [limb for limb in skeleton.limbs if all(person[skeleton.joints.index(name), 2] for name in limb)]
    while fresh := {name for limb in limbs if set(limb) & reached for name in limb} - reached:
        reached |= fresh
    return np.where(np.isin(skeleton.joints, list(reached))[:, None], person, 0.0)


def test_legs_alone_are_nobody():
    skeleton = SKELETONS["body_25"]
    upper = [name for name in BODY_25 if not any(part in name for part in ("knee", "ankle", "heel", "toe"))]
    legs = somebody(BODY_25, (40, 10), 18, hidden=upper)
    assert len(decode(*drawn([legs], skeleton, 80, 80), skeleton)) == 0


def test_a_false_peak_half_way_down_the_arm_is_no_elbow():
    """Not even where it is higher than the true one, and no wrist tells."""
    skeleton, elbow = SKELETONS["coco"], COCO_18.index("left_elbow")
    person = somebody(COCO_18, (40, 20), 18, hidden=("left_wrist",))
    false = person.copy()
    false[elbow, :2] = (person[COCO_18.index("left_shoulder"), :2] + person[elbow, :2]) / 2
    heat, fields = drawn([person], skeleton, 80, 80)
    heat[elbow] *= 0.7
    heat = np.maximum(heat, drawn([false], skeleton, 80, 80)[0])
    assert_found(decode(heat, fields, skeleton), [person], within=0.3)


def test_peaks_without_a_field_between_them_do_not_belong_together():
    skeleton = SKELETONS["coco"]
    person = somebody(COCO_18, (40, 20), 18)
    heat, fields = drawn([person], skeleton, 80, 80)
    arm = skeleton.limbs.index(("left_shoulder", "left_elbow"))
    fields[2 * arm : 2 * arm + 2] = 0
    (found,) = decode(heat, fields, skeleton)
    lost = {name for name, joint in zip(COCO_18, found, strict=True) if joint[2] == 0}
    assert lost == {"left_elbow", "left_wrist"}


def test_nobody_and_noise_are_nobody():
    skeleton = SKELETONS["body_25"]
    nothing = np.zeros((25, 64, 48)), np.zeros((52, 64, 48))
    assert decode(*nothing, skeleton).shape == (0, 25, 3)
    random = np.random.default_rng(0)
    noise = np.abs(random.standard_normal((25, 64, 48))), 0.3 * random.standard_normal((52, 64, 48))
    assert len(decode(*noise, skeleton)) <= 32
    faint = 0.05 * noise[0], noise[1]
    assert len(decode(*faint, skeleton)) == 0


def test_peaks_lie_between_cells_and_at_the_border():
    y, x = np.mgrid[:20, :30].astype(float)
    for px, py in ((7.3, 9.6), (0, 5), (29, 19), (14.5, 10.0)):
        heat = np.exp(-((x - px) ** 2 + (y - py) ** 2) / 2)[None]
        (place,) = find_peaks(heat).place
        assert np.abs(place - (px, py)).max() < 0.02


@needs_weights
@needs_samples
def test_a_real_networks_maps_become_the_data_sets_joints():
    skeleton = MODELS["mobilenet"].skeleton
    near, known = 0, 0
    maps = np.load(MAPS)
    for name in maps.files:
        channels = maps[name].astype(np.float64).transpose(2, 0, 1)
        (person,) = decode(channels[:19], channels[19:], skeleton)
        found = in_pixels(person[None], channels.shape[1:], (HEIGHT, WIDTH))[0, :8]
        truth = true_joints(name)
        seen = truth[:, 2] > 0
        near += (is_near(found, truth) & seen).sum()
        known += seen.sum()
    assert near / known > 0.88, "PCK at 0.2 shoulder widths, nose to wrists"


def true_joints(name):
    """Nose to left wrist, in which COCO-18 and BODY_25 agree (one of the samples is COCO-18)."""
    document = json.loads((SAMPLES / f"openpose_json/{name}_keypoints.json").read_text())
    return np.array(document["people"][0]["pose_keypoints_2d"]).reshape(-1, 3)[:8]


def is_near(found, truth):
    shoulder_width = np.linalg.norm(truth[2, :2] - truth[5, :2])
    return (np.linalg.norm((found - truth)[:, :2], axis=1) < 0.2 * shoulder_width) & (found[:, 2] > 0)


@needs_samples
@pytest.mark.parametrize("model", MODELS)
def test_the_order_of_the_limbs_is_that_of_the_networks_maps(model):
    folder = WEIGHTS if model == "mobilenet" else WEIGHTS / "openpose"
    if not all((folder / name).is_file() for name in MODELS[model].files):
        pytest.skip(f"no weights of {model} in {folder}")
    network = Network(MODELS[model], str(folder))
    seen = set()
    for path in sorted([*(SAMPLES / "image").iterdir(), *(SAMPLES / "wild").iterdir()]):
        picture = np.array(Image.open(path).convert("RGB").resize((WIDTH, HEIGHT)))
        seen |= limbs_along_their_fields(*network.look(picture), MODELS[model].skeleton)
    # Too few of the samples show feet.
    assert seen >= {number for number, limb in enumerate(MODELS[model].skeleton.limbs) if not is_of_foot(limb[1])}


def is_of_foot(joint):
    return "toe" in joint or "heel" in joint


def limbs_along_their_fields(heat, fields, skeleton):
    """Along a limb between two joints that were found, its own pair of maps points more than any other does."""
    (person,) = decode(heat, fields, skeleton)
    seen = set()
    for number, (start, end) in enumerate(skeleton.limbs):
        a, b = (person[skeleton.joints.index(joint)] for joint in (start, end))
        if min(a[2], b[2]) > 0.15:
            x, y = np.round(np.linspace(a[:2], b[:2], 12)).astype(int).T
            way = (b - a)[:2] / np.linalg.norm((b - a)[:2])
            along = (fields[0::2, y, x] * way[0] + fields[1::2, y, x] * way[1]).mean(axis=1)
            assert along.argmax() == number, (start, end)
            seen.add(number)
    return seen


@pytest.fixture
def weights(tmp_path, monkeypatch):
    """The engine's folder of weights, empty."""
    monkeypatch.setenv("HOWSFIT_WEIGHTS_DIR", str(tmp_path))
    folder = tmp_path / "openpose"
    folder.mkdir()
    return folder


def engine_of(model, monkeypatch):
    monkeypatch.setenv("HOWSFIT_OPENPOSE_MODEL", model)
    engine = Engine()
    engine.load()
    return engine


def run(engine, picture):
    warnings = []
    outputs = engine.run({"person": picture}, lambda code, message: warnings.append(code))
    return outputs, keypoints(outputs["pose"]), warnings


def read(name):
    return np.array(Image.open(SAMPLES / "image" / f"{name}.jpg").convert("RGB"))


@needs_weights
@needs_samples
def test_mobilenet_from_picture_to_pose(weights, monkeypatch):
    shutil.copy(GRAPH, weights)
    engine = engine_of("mobilenet", monkeypatch)
    assert engine.licence == "Apache-2.0" and engine.weights()[0]["file"] == GRAPH.name
    near, known = 0, 0
    for name in ("00891_00", "03615_00", "07573_00", "10549_00"):
        outputs, people, _ = run(engine, read(name))
        assert people.shape == (1, 25, 3) and outputs["pose_image"].shape == (HEIGHT, WIDTH, 3)
        assert not people[0, 19:].any(), "COCO knows no feet"
        hips, middle = people[0, [BODY_25.index("right_hip"), BODY_25.index("left_hip")]], people[0, 8]
        assert np.allclose(middle[:2], hips[:, :2].mean(axis=0), atol=0.01) if hips[:, 2].all() else not middle.any()
        near += (is_near(people[0, :8], true_joints(name)) & (true_joints(name)[:, 2] > 0)).sum()
        known += (true_joints(name)[:, 2] > 0).sum()
    assert near / known > 0.88


@needs_weights
@needs_samples
def test_opencv_gives_the_maps_that_tensorflow_gave(weights):
    """For how the picture was made smaller then, nobody knows; the wrong order of colours differs three times as much."""
    shutil.copy(GRAPH, weights)
    network = Network(MODELS["mobilenet"]._replace(size=(576, 432)), str(weights))
    expected = np.load(MAPS)["00891_00"].astype(np.float64).transpose(2, 0, 1)
    maps = np.concatenate(network.look(read("00891_00")))
    swapped = np.concatenate(network.look(read("00891_00")[..., ::-1]))
    assert maps.shape == expected.shape
    assert np.abs(maps - expected).mean() < 0.001
    assert np.abs(swapped - expected).mean() > 0.0015


@needs_weights
@needs_samples
def test_mobilenet_lists_two_people_largest_first_and_answers_alike_from_any_thread(weights, monkeypatch):
    shutil.copy(GRAPH, weights)
    engine = engine_of("mobilenet", monkeypatch)
    picture = np.full((HEIGHT, WIDTH, 3), 230, dtype=np.uint8)
    picture[400:, :300] = np.array(Image.fromarray(read("03615_00")[:, 100:650]).resize((300, 624)))
    picture[:, 300:] = np.array(Image.fromarray(read("07573_00")[:, 80:700]).resize((468, 1024)))
    before = picture.copy()
    first, people, warnings = run(engine, picture)
    assert len(people) == 2 and warnings == ["several-people"]
    assert people[0, 1, 0] > 300 > people[1, 1, 0]
    later = []
    thread = threading.Thread(target=lambda: later.append(run(engine, picture)[0]))
    thread.start()
    thread.join()
    assert later[0]["pose"] == first["pose"] and np.array_equal(picture, before)
    with pytest.raises(NoPerson, match="Use a photo"):
        run(engine, np.full((HEIGHT, WIDTH, 3), 128, dtype=np.uint8))


def caffe_files(folder, model, copies):
    """A network in Caffe's format that needs no weights: the input, averaged over cells, some times over."""
    height, width = MODELS[model].size
    text = f'input: "data"\ninput_dim: 1\ninput_dim: 3\ninput_dim: {height}\ninput_dim: {width}\n'
    text += (
        'layer { name: "cells" type: "Pooling" bottom: "data" top: "cells" '
        "pooling_param { pool: AVE kernel_size: 8 stride: 8 } }\n"
    )
    bottoms = 'bottom: "cells" ' * copies
    text += f'layer {{ name: "net_output" type: "Concat" {bottoms} top: "net_output" concat_param {{ axis: 1 }} }}\n'
    description, content = MODELS[model].files
    (folder / description).write_text(text)
    # A NetParameter with nothing but a name.
    (folder / content).write_bytes(b"\x0a\x01n")


@pytest.mark.parametrize("model, copies", [("body_25", 26), ("coco", 19)])
def test_caffe_models_see_blue_first_from_minus_a_half_to_a_half(model, copies, weights):
    caffe_files(weights, model, copies)
    picture = np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)
    picture[..., 0], picture[..., 2] = 128, 64
    picture[:512, :, 1] = 192
    heat, fields = Network(MODELS[model], str(weights)).look(picture)
    assert heat.shape == (len(MODELS[model].skeleton.joints) + 1, 48, 36)
    assert fields.shape == (2 * len(MODELS[model].skeleton.limbs), 48, 36)
    assert np.allclose(heat[0], -0.25) and np.allclose(heat[2], 0) and np.allclose(heat[1, :24], 0.25)
    assert np.allclose(heat[1, 24:], -0.5)


def test_weights_of_another_network_are_refused(weights):
    caffe_files(weights, "body_25", 19)
    with pytest.raises(WeightsMissing, match=r"another network's, whose output is \(1, 57, 48, 36\)"):
        Network(MODELS["body_25"], str(weights))


@pytest.mark.parametrize("model", MODELS)
def test_missing_and_broken_weights_are_told_with_address_and_licence(model, weights, monkeypatch):
    with pytest.raises(WeightsMissing, match="there is no " + MODELS[model].files[0]) as told:
        engine_of(model, monkeypatch)
    assert str(weights) in told.value.detail and "Licence: " in told.value.detail
    assert "howsfit weights pull openpose/" + model in told.value.detail
    for name in MODELS[model].files:
        (weights / name).write_bytes(b"<html>not found</html>")
    with pytest.raises(WeightsMissing, match=MODELS[model].files[0] + " has 22 bytes"):
        engine_of(model, monkeypatch)
    with pytest.raises(WeightsMissing, match="cannot be read"):
        Network(MODELS[model], str(weights))


@needs_weights
@needs_samples
def test_maps_of_several_scales_are_laid_over_each_other(weights, monkeypatch):
    """Neck and shoulders are found at about the same places at each scale alone, and by the mean."""
    shutil.copy(GRAPH, weights)
    found = {}
    for scales in ("1", "0.75", "1.25", "1.25,1,0.75"):
        monkeypatch.setenv("HOWSFIT_OPENPOSE_SCALES", scales)
        engine = engine_of("mobilenet", monkeypatch)
        found[scales] = run(engine, read("10549_00"))[1][0]
    assert engine.options()["scales"] == [0.75, 1, 1.25]
    upper = [1, 2, 5]
    for scales, joints in found.items():
        assert joints[upper, 2].all(), scales
        assert np.abs(joints - found["1"])[upper, :2].max() < 40, scales
    assert len({joints.tobytes() for joints in found.values()}) == 4


@pytest.mark.parametrize("scales", ["", "1,2", "0", "-1", "big", "nan"])
def test_scales_that_are_none_are_refused(scales, monkeypatch):
    monkeypatch.setenv("HOWSFIT_OPENPOSE_SCALES", scales)
    with pytest.raises(ValueError, match="HOWSFIT_OPENPOSE_SCALES must be some of 0.5, 0.75, 1, 1.25, 1.5, separated"):
        Engine()


def test_the_mean_of_the_scales_is_taken_on_the_grid_of_the_models_own_size(weights):
    """A network that averages its input: at any scale a ramp stays where it is."""
    caffe_files(weights, "coco", 19)
    picture = np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)
    picture[:] = np.linspace(0, 255, HEIGHT)[:, None, None]
    one, _ = Pyramid(MODELS["coco"], str(weights), (1.0,)).look(picture)
    heat, fields = Pyramid(MODELS["coco"], str(weights), (0.5, 1.0, 1.5)).look(picture)
    assert heat.shape == (19, 48, 36) and fields.shape == (38, 48, 36)
    assert np.abs(heat - one)[:, 2:-2].max() < 0.01 < np.ptp(one)


def test_an_unknown_model_is_refused(monkeypatch):
    monkeypatch.setenv("HOWSFIT_OPENPOSE_MODEL", "mpi")
    with pytest.raises(ValueError, match="HOWSFIT_OPENPOSE_MODEL must be one of body_25, coco, mobilenet, not 'mpi'"):
        Engine()


@pytest.mark.parametrize("graph", [b"\x0a\x7f", b"\x0f", b"\xff" * 12])
def test_a_graph_that_is_none_is_refused(graph):
    with pytest.raises(ValueError, match="no protocol buffer"):
        with_constant_sizes(graph, 72, 54)


def test_a_graph_without_computed_sizes_stays_as_it_is():
    node = b"\x0a\x0c" + b"\x0a\x01x" + b"\x12\x05Const" + b"\x3a\x00"
    assert with_constant_sizes(node, 72, 54) == node
