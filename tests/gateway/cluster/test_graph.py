"""The stage graph: built from declarations alone."""

import itertools

import pytest

from gateway.cluster.graph import UPLOADS, Declaration, StageGraph
from gateway.cluster.plan import Plan, Wishes
from gateway.errors import StartupError
from howsfit.stages import find_stage, made_artifacts
from stagekit.folders import stage_names

KINDS = UPLOADS | made_artifacts()


def declare(stage, inputs, outputs):
    return Declaration(stage, *({name: KINDS[name] for name in names.split()} for names in (inputs, outputs)))


def declared_by(name):
    stage = find_stage(name)
    return Declaration(name, stage.inputs, stage.outputs, stage.optional)


HOUSE = [
    declare("resize", "photo", "person frame"),
    declare("cloth_mask", "garment", "cloth cloth_mask"),
    declare("pose", "person", "pose pose_image"),
    declare("densepose", "person pose", "densepose"),
    declare("human_parse", "person pose", "parse"),
    declare("agnostic", "person parse pose", "agnostic parse_agnostic"),
    declare("tryon", "agnostic parse_agnostic densepose cloth cloth_mask", "tryon"),
]


def planned(begin, declarations=HOUSE):
    return Plan.of(StageGraph(declarations), {}, begin, Wishes())


def without(stage):
    return [declaration for declaration in HOUSE if declaration.stage != stage]


def test_the_stages_that_come_with_the_package_make_a_graph_and_agree_on_every_kind():
    graph = StageGraph(declared_by(name) for name in stage_names())
    assert {"resize", "tryon", "paste_back"} <= set(graph.order)


def test_the_order_of_declaration_does_not_matter():
    for shuffled in itertools.islice(itertools.permutations(HOUSE), 0, 5040, 97):
        graph = StageGraph(shuffled)
        assert graph.needs("tryon") == {"agnostic", "densepose", "cloth_mask"}
        for stage in graph.order:
            assert all(graph.order.index(earlier) < graph.order.index(stage) for earlier in graph.needs(stage))


def test_the_graph_knows_the_kind_of_all_that_there_may_be_in_running_order():
    graph = StageGraph(
        [*HOUSE, Declaration("kind", {"cloth": "image"}, {"category": "category"}, {"cloth_parse": "labels"})]
    )
    names = list(graph.artifacts())
    assert names[:3] == ["photo", "garment", "cloth_parse"] and names[-1] == "tryon"
    assert graph.artifacts()["category"] == "category" and graph.artifacts()["pose_image"] == "image"


def test_independent_stages_are_ready_at_the_same_time():
    sorter = planned(["photo", "garment"]).sorter()
    assert set(sorter.get_ready()) == {"resize", "cloth_mask"}
    sorter.done("resize")
    assert set(sorter.get_ready()) == {"pose"}
    sorter.done("pose")
    assert set(sorter.get_ready()) == {"densepose", "human_parse"}


def test_uploads_lead_as_far_as_they_suffice():
    graph = StageGraph(HOUSE)
    assert set(graph.reach(["garment"])) == {"cloth_mask"}
    assert "tryon" not in graph.reach(["photo"]) and "agnostic" in graph.reach(["photo"])
    assert graph.reach(["photo", "garment"]) == graph.order


def test_stages_that_are_done_already_are_not_handed_out():
    sorter = planned(["photo", "garment"]).sorter(done=["resize", "pose", "cloth_mask"])
    assert set(sorter.get_ready()) == {"densepose", "human_parse"}


def test_an_engine_that_needs_less_widens_the_graph():
    graph = StageGraph([*without("densepose"), declare("densepose", "person", "densepose")])
    assert graph.needs("densepose") == {"resize"}


def test_what_no_stage_makes_is_taken_by_the_stage_that_can_use_it_where_a_job_begins_with_it():
    begin = {"photo", "garment"}
    house = [*HOUSE, Declaration("kind", {"cloth": "image"}, {"category": "category"}, {"cloth_parse": "labels"})]
    graph = StageGraph(house)
    assert graph.kind("cloth_parse") == "labels" and "cloth_parse" not in graph.producer
    assert graph.inputs("kind", begin) == ["cloth"]
    assert graph.inputs("kind", begin | {"cloth_parse"}) == ["cloth", "cloth_parse"]
    assert graph.origins("kind", begin | {"cloth_parse"}) == {"garment", "cloth_parse"}
    assert graph.running(begin) == graph.running(begin | {"cloth_parse"})


def test_what_a_stage_is_made_from_in_the_end():
    graph = StageGraph(HOUSE)
    assert graph.origins("cloth_mask") == {"garment"}
    assert graph.origins("agnostic") == {"photo"}
    assert graph.origins("tryon") == {"photo", "garment"}


def running(*begin, declarations=HOUSE):
    return set(StageGraph(declarations).running(begin))


def test_a_stage_whose_outputs_are_given_does_not_run_nor_what_only_it_needs():
    everything = running("photo", "garment")
    assert everything == {declaration.stage for declaration in HOUSE}
    assert everything - running("photo", "garment", "parse") == {"human_parse"}
    assert everything - running("photo", "garment", "cloth", "cloth_mask") == {"cloth_mask"}
    person = {"agnostic", "parse_agnostic", "densepose"}
    assert running("photo", "garment", *person) == {"cloth_mask", "tryon"}
    assert running("photo", "garment", "agnostic", "parse_agnostic") == {
        "resize", "pose", "densepose", "cloth_mask", "tryon"
    }  # fmt: skip


def test_with_the_parse_given_the_pose_does_not_run_where_nothing_else_needs_it():
    house = [
        *(declaration for declaration in HOUSE if declaration.stage not in ("densepose", "agnostic")),
        declare("densepose", "person", "densepose"),
        declare("agnostic", "person parse", "agnostic parse_agnostic"),
    ]
    assert {"pose", "human_parse"} <= running("photo", "garment", declarations=house)
    assert running("photo", "garment", "parse", declarations=house).isdisjoint({"pose", "human_parse"})


def test_preprocessing_never_runs_a_generator_that_needs_only_the_one_or_the_other():
    for begin, takes, made in (("garment", "cloth", "cloth_mask"), ("photo", "person", "resize")):
        graph = StageGraph(
            [*without("tryon"), declare("tryon", takes, "tryon"), declare("paste", "tryon", "tryon_photo")]
        )
        assert {made, "tryon", "paste"} <= set(graph.running([begin]))
        preprocessing = Plan.of(graph, {}, [begin], Wishes(dress=False))
        assert made in preprocessing.stages and {"tryon", "paste"}.isdisjoint(preprocessing.stages)
        assert preprocessing.generator is None


def test_only_what_is_wanted_is_made_and_what_it_needs():
    graph = StageGraph(HOUSE)
    assert graph.running({"photo"}, False, {"parse"}) == ("resize", "pose", "human_parse")
    assert graph.running({"person"}, False, {"pose", "densepose"}) == ("pose", "densepose")
    assert graph.running({"person", "pose"}, False, {"parse"}) == ("human_parse",)
    assert graph.running({"person", "pose"}, False, {"pose_image"}) == ("pose",)
    assert graph.running({"person", "parse"}, False, {"parse"}) == ()
    assert graph.running({"person"}, False, {"cloth_mask"}) == ()


def test_a_stage_of_which_only_a_part_is_given_runs_for_the_rest():
    assert running("garment", "cloth_mask") == set(), "only its mask is taken here"
    assert "cloth_mask" in running("photo", "garment", "cloth_mask")
    assert "resize" in running("photo", "frame")


def test_a_whole_person_may_be_given_in_place_of_the_photo():
    graph = StageGraph([*HOUSE, declare("paste_back", "photo frame tryon", "tryon_photo")])
    assert set(graph.running({"person", "garment"})) == {declaration.stage for declaration in HOUSE} - {"resize"}
    assert graph.missing("tryon", {"person", "garment"}) == []
    assert graph.missing("tryon", {"garment"}) == ["photo"]
    assert graph.missing("tryon", {"parse"}) == ["photo", "garment"]
    assert graph.missing("tryon", {"tryon"}) == []


def test_no_stage_waits_for_one_whose_output_is_given():
    sorter = planned(["photo", "garment", "pose"]).sorter()
    assert set(sorter.get_ready()) == {"resize", "cloth_mask"}
    sorter.done("resize")
    assert set(sorter.get_ready()) == {"densepose", "human_parse"}


def test_what_is_given_is_an_origin_and_what_it_replaces_is_none():
    graph = StageGraph(HOUSE)
    begin = {"photo", "garment", "parse"}
    assert graph.origins("agnostic", begin) == {"photo", "parse"}
    assert graph.origins("agnostic", {"person", "parse", "pose"}) == {"person", "parse", "pose"}


def test_a_missing_producer_is_named():
    with pytest.raises(StartupError, match="takes 'person', but no stage gives it"):
        StageGraph(without("resize"))


def test_without_a_generator_there_is_no_house():
    with pytest.raises(StartupError, match="No stage gives 'tryon'"):
        StageGraph(without("tryon"))


def test_two_producers_are_named():
    with pytest.raises(StartupError, match="Both 'pose' and 'pose2' give 'pose'"):
        StageGraph([*HOUSE, declare("pose2", "person", "pose")])


def test_a_stage_may_not_give_an_upload():
    with pytest.raises(StartupError, match="only an upload"):
        StageGraph([*HOUSE, declare("camera", "person", "photo")])


def test_a_cycle_is_drawn():
    circle = declare("pose", "person densepose", "pose pose_image")
    with pytest.raises(StartupError, match=r"circle: .*(pose -> densepose|densepose -> pose)"):
        StageGraph([*without("pose"), circle])


def test_two_opinions_on_a_kind_are_refused():
    odd = Declaration("pose", {"person": "mask"}, {"pose": "keypoints", "pose_image": "image"})
    with pytest.raises(StartupError, match="as mask, but it is given as image"):
        StageGraph([*without("pose"), odd])
