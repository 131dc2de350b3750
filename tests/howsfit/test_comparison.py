"""What `howsfit compare` compares."""

import pytest

from gateway.tryons.comparisons import MAX_VARIANTS
from howsfit.comparison import MOST, variants_of
from howsfit.embedded import create_app


@pytest.mark.parametrize(
    ("generators", "options", "variants"),
    [
        ("tps,hr_viton", {}, [{"engines": {"tryon": "tps"}}, {"engines": {"tryon": "hr_viton"}}]),
        (None, {"tryon.seed": [1, 2]}, [{"options": {"tryon": {"seed": 1}}}, {"options": {"tryon": {"seed": 2}}}]),
        (" tps , tps ,a", {"tryon.seed": [1]}, [{"engines": {"tryon": "tps"}}, {"engines": {"tryon": "a"}}]),
        (
            "tps",
            {"tryon.hem": ["a", "b"], "agnostic.recipe": ["c"]},
            [{"engines": {"tryon": "tps"}, "options": {"tryon": {"hem": hem}}} for hem in "ab"],
        ),
    ],
)
def test_each_generator_with_each_combination_of_values(generators, options, variants):
    assert variants_of(generators, options) == variants


def test_there_are_two_at_least_and_as_many_as_the_gateway_takes_at_most():
    assert MOST == MAX_VARIANTS
    assert len(variants_of("a,b", {"x.y": [1, 2], "x.z": [1, 2]})) == MOST
    with pytest.raises(ValueError, match="at most 8"):
        variants_of("a,b,c", {"x.y": [1, 2, 3]})
    with pytest.raises(ValueError, match="--tryon tps,hr_viton"):
        variants_of("a", {"x.y": [1]})


def test_several_engines_of_a_stage_are_mounted_side_by_side():
    app = create_app(engines={"human_parse": ["graphonomy_onnx", "cihp_pgn_onnx", "posecut"], "pose": "openpose"})
    mounted = {stage: set(engines) for stage, engines in app.state.gateway.settings.engines.items() if engines}
    assert mounted == {"human_parse": {"graphonomy_onnx", "cihp_pgn_onnx"}, "pose": {"openpose"}}
