"""What the trained parsers share: the table of layers, scales and mirror, and how logits become a parse.

The networks themselves are tested where their frameworks are: tests/engines.
"""

import asyncio
import io
import json

import httpx
import numpy as np
import pytest
from PIL import Image

from services.human_parse import graph_transfer, part_grouping
from services.human_parse.engines.cihp_pgn.layers import EDGE_HEAD, PARSING_HEADS, layers, reaching, variable_shapes
from services.human_parse.multiscale import bilinear, confidence, finish, merge_mirror, resize, with_mirror
from services.human_parse.parser import Parser
from services.human_parse.settings import read_scales
from services.human_parse.stage import STAGE
from stagekit.app import create_app
from stagekit.errors import NoPerson
from stagekit.formats import CIHP
from stagekit.wire import decode as decode_parts
from tests.servers import ROOT

SPECS = ROOT / "tests" / "specs" / "cihp_pgn"
OPS = {"atrous_conv": "conv", "batch_normalization": "batch_norm", "pyramid_pooling": "pyramid"}


def test_our_table_of_layers_is_the_published_graph():
    published = json.loads((SPECS / "graph.json").read_text())
    through = {layer["name"]: layer["inputs"][0] for layer in published if layer["op"] == "dropout"}
    ours = {layer.name: layer for layer in layers()}
    assert list(ours) and set(ours) == {layer["name"] for layer in published} - set(through)
    for layer in published:
        if layer["op"] == "dropout":
            continue
        our = ours[layer["name"]]
        assert our.op == OPS.get(layer["op"], layer["op"])
        assert our.inputs == tuple(through.get(name, name) for name in layer["inputs"])
        assert our.pool == layer.get("pool", 0) and our.dilation == layer.get("dilation", 1)
        if our.op == "conv":
            assert [our.kernel] * 2 == layer["kernel"] and our.out == layer["out"]
            assert [our.stride] * 2 == layer.get("stride", [1, 1])
        if our.op not in ("pyramid", "relu"):
            assert our.relu == layer.get("relu", False) and our.bias == layer.get("bias", False)


def test_our_variables_are_those_of_the_published_checkpoint():
    published = json.loads((SPECS / "variables.json").read_text())
    assert variable_shapes(layers()) == {name: tuple(shape) for name, shape in published.items()}


def test_only_what_the_outputs_need_is_laid_out():
    needed = {layer.name for layer in reaching(layers(), (*PARSING_HEADS, EDGE_HEAD))}
    left_out = {layer.name for layer in layers()} - needed
    assert left_out and all(name.startswith("fc1_edge") for name in left_out)


def test_bilinear_follows_each_convention():
    assert np.allclose(bilinear(2, 4, "tf1") @ [0, 10], [0, 5, 10, 10])
    assert np.allclose(bilinear(2, 4, "centres") @ [0, 10], [0, 2.5, 7.5, 10])
    assert np.allclose(bilinear(2, 3, "corners") @ [0, 10], [0, 5, 10])
    for convention in ("tf1", "centres", "corners"):
        assert np.array_equal(bilinear(5, 5, convention), np.eye(5))
        assert np.allclose(bilinear(7, 3, convention).sum(axis=1), 1)
        assert np.allclose(bilinear(1, 4, convention), 1)
    with pytest.raises(ValueError):
        bilinear(2, 2, "nearest")


def test_a_mirror_image_is_put_right():
    rng = np.random.RandomState(1)
    logits = rng.rand(20, 6, 4).astype(np.float32)
    seen_in_mirror = logits[:, :, ::-1].copy()
    for left, right in ((14, 15), (16, 17), (18, 19)):
        seen_in_mirror[[left, right]] = seen_in_mirror[[right, left]]
    assert np.allclose(merge_mirror(np.stack([logits, seen_in_mirror])), logits)
    assert np.array_equal(with_mirror(logits)[1][:, :, 0], logits[:, :, -1])


def test_logits_are_enlarged_and_smoothed_in_one_go():
    """Against the two steps done one after the other, as HR-VITON's authors describe them."""
    logits = np.random.RandomState(2).rand(3, 64, 48).astype(np.float32)
    offsets = np.arange(-7, 8)
    kernel = np.exp(-(offsets**2) / 18.0)
    kernel /= kernel.sum()
    slow = resize(logits, 1024, 768, "centres")
    for axis in (1, 2):
        slow = np.apply_along_axis(lambda line: np.convolve(line, kernel, "same"), axis, slow)
    assert np.abs(finish(logits) - slow).max() < 1e-5


def test_confidence_is_the_probability_of_the_label():
    logits = np.zeros((20, 1, 3), np.float32)
    logits[5, 0, 1], logits[5, 0, 2] = 1000, np.log(19)
    assert np.allclose(confidence(logits), [[13, 255, 127.5]], atol=0.5)


def test_every_network_is_asked_at_every_scale_with_the_mirror_image():
    asked = []

    def grouping(pairs):
        asked.extend(pair.shape for pair in pairs)
        assert np.array_equal(
            pairs[1][1], pairs[1][0][:, :, ::-1]
        )  # the published resizing is lopsided at other scales
        for n, _, h, w in asked:
            yield np.ones((n, 20, h // 8, w // 8), np.float32), np.full((n, 1, h // 8, w // 8), h, np.float32)

    image = np.zeros((64, 48, 3), np.uint8)
    logits, edges = part_grouping.look(grouping, image, (0.5, 1.0, 1.5))
    assert asked == [(2, 3, 32, 24), (2, 3, 64, 48), (2, 3, 96, 72)]
    assert logits.shape == (20, 64, 48) and edges.shape == (64, 48)
    assert np.allclose(logits, 1) and np.allclose(edges, 80), "edges are looked for at scales from 1 on"

    def transfer(pairs):
        assert all(pair.min() == -1 for pair in pairs)
        return [(np.ones((2, 20, *pair.shape[2:]), np.float32),) for pair in pairs]

    assert np.allclose(graph_transfer.look(transfer, image, (0.5, 1.0)), 1)


def test_scales_are_some_of_the_published_ones(monkeypatch):
    assert len(read_scales()) == 6
    monkeypatch.setenv("HOWSFIT_PARSE_SCALES", "1.5, 1")
    assert read_scales() == (1.0, 1.5)
    for wrong in ("", "2", "1,,", "one"):
        monkeypatch.setenv("HOWSFIT_PARSE_SCALES", wrong)
        with pytest.raises(ValueError, match="HOWSFIT_PARSE_SCALES"):
            read_scales()


class Halves(Parser):
    """Upper clothes on the left half, nothing on the right; edges in between."""

    name = "halves"
    extras = {"parse_confidence": "map", "parse_edges": "map"}

    def look(self, image, scales):
        assert image.shape == (256, 192, 3)
        logits = np.zeros((20, 256, 192), np.float32)
        logits[CIHP["upper_clothes"], :, :96] = logits[0, :, 96:] = 8
        edges = np.full((256, 192), -20, np.float32)
        edges[:, 95:97] = 20
        return logits if image.any() else np.where(np.arange(20)[:, None, None] == 0, 8, logits * 0), edges


PERSON = np.full((1024, 768, 3), 99, np.uint8)


def test_a_parser_gives_a_parse_and_more_on_request():
    made = Halves().run({"person": PERSON}, None)
    assert made["parse"].shape == (1024, 768) and made["parse"].dtype == np.uint8
    assert (made["parse"][:, :384] == CIHP["upper_clothes"]).all() and not made["parse"][:, 384:].any()
    sure, edges = made["parse_confidence"](), made["parse_edges"]()
    assert sure[500, 100] > 250 and 120 < sure[500, 384] < 180
    assert edges[500, 384] == 255 and edges[500, 100] == 0
    with pytest.raises(NoPerson):
        Halves().run({"person": PERSON * 0}, None)


def test_options_and_sizes_follow_the_scales(monkeypatch):
    monkeypatch.setenv("HOWSFIT_PARSE_SCALES", "0.5,1")
    engine = Halves()
    assert engine.options() == {"scales": [0.5, 1.0]} and engine.sizes() == [(128, 96), (256, 192)]


def test_extras_are_answered_only_when_asked_for():
    app = create_app(STAGE, Halves())
    app.state.runner.load()
    buffer = io.BytesIO()
    Image.fromarray(PERSON).save(buffer, "PNG")

    async def ask():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://stage") as client:
            queries = ("", "?extras=true", "?artifact=parse_edges", "?artifact=moon")
            posted = [await client.post("/run" + query, files={"person": buffer.getvalue()}) for query in queries]
            return (await client.get("/info")).json(), posted

    info, (plain, full, one, unknown) = asyncio.run(ask())
    assert info["extras"] == {"parse_confidence": "map", "parse_edges": "map"}
    assert set(decode_parts(plain.headers["content-type"], plain.content)) == {"parse"}
    assert set(decode_parts(full.headers["content-type"], full.content)) == {"parse", *info["extras"]}
    assert Image.open(io.BytesIO(one.content)).mode == "L"
    assert unknown.status_code == 400 and "parse_edges" in unknown.json()["detail"]
