"""Options of a run: what is taken, and how they change the fingerprint. Runs on Python 3.6 too."""

import pytest

from stagekit.engine import Engine
from stagekit.errors import BadOption
from stagekit.options import check_options, choice, defaults, fingerprint_of_run, integer, number, read_options

SCHEMA = {
    "seed": integer("Of the noise.", 0, 0, 100),
    "guidance": number("How closely.", 2.5, 0, 10),
    "height": choice("Pixels.", 1024, (512, 1024)),
    "hem": choice("Where it ends.", "hanging", ("hanging", "tucked")),
    "flip": {"type": "boolean", "default": False, "description": "Mirrored."},
}


def test_only_what_is_not_the_default_counts():
    assert check_options(SCHEMA, {}, "fake") == check_options(SCHEMA, defaults(SCHEMA), "fake") == {}
    given = {"seed": 7.0, "guidance": 3, "height": 512, "hem": "tucked", "flip": True}
    differing = check_options(SCHEMA, given, "fake")
    assert differing == given and isinstance(differing["seed"], int)
    assert fingerprint_of_run("sha256:1", {}) == "sha256:1"
    prints = {
        fingerprint_of_run("sha256:1", each) for each in ({}, {"seed": 1}, {"seed": 2}, {"seed": 1, "flip": True})
    }
    assert len(prints) == 4 and fingerprint_of_run("sha256:2", {"seed": 1}) not in prints
    assert fingerprint_of_run("", {"seed": 7, "flip": True}) == fingerprint_of_run("", {"flip": True, "seed": 7})


@pytest.mark.parametrize(
    "given, said",
    [
        ({"sead": 1}, "no option 'sead'. It has: seed, guidance, height, hem, flip"),
        ({"seed": -1}, "a whole number from 0 to 100, not -1"),
        ({"seed": 1.5}, "a whole number"),
        ({"seed": True}, "a whole number"),
        ({"seed": "1"}, "a whole number"),
        ({"seed": None}, "a whole number"),
        ({"seed": float("nan")}, "a whole number"),
        ({"seed": float("inf")}, "a whole number"),
        ({"seed": 10**400}, "a whole number"),
        ({"guidance": float("nan")}, "a number from 0 to 10"),
        ({"guidance": []}, "a number from 0 to 10"),
        ({"height": 600}, "one of 512, 1024"),
        ({"height": "512"}, "one of 512, 1024"),
        ({"hem": "Tucked"}, "one of hanging, tucked, not 'Tucked'"),
        ({"hem": {}}, "one of hanging, tucked"),
        ({"flip": 1}, "true or false"),
    ],
)
def test_others_are_refused_naming_what_is_taken(given, said):
    with pytest.raises(BadOption) as refused:
        check_options(SCHEMA, given, "fake")
    assert said in refused.value.detail and "fake" in refused.value.detail


def test_an_engine_without_options_says_so():
    with pytest.raises(BadOption, match="It has: none"):
        check_options({}, {"seed": 1}, "fake")


def test_the_part_of_a_request_is_a_json_object():
    assert read_options(b'{"seed": 3}') == {"seed": 3} and read_options(b"") == read_options(b" ") == {}
    for data in (b"[]", b"3", b"{", b"\xff", b"[" * 4000, b'{"a": "' + b"x" * 5000 + b'"}'):
        with pytest.raises(BadOption, match="JSON object"):
            read_options(data)


def test_an_engine_defines_either_way_of_running():
    class Plain(Engine):
        def run(self, inputs, warn):
            return {"cloth": inputs}

    class Seeded(Engine):
        def option_schema(self):
            return {"seed": SCHEMA["seed"]}

        def run_with(self, options, inputs, warn):
            return {"cloth": options["seed"]}

    assert Plain().run_with({}, 1, print) == {"cloth": 1}
    assert Seeded().run({}, print) == {"cloth": 0} and Seeded().run_with({"seed": 5}, {}, print) == {"cloth": 5}
    with pytest.raises(NotImplementedError):
        Engine().run({}, print)
