"""Engines that a request chooses, and licences that it asks for: a gateway and small stages in this process."""

import pytest

import gateway.cluster.watch
from gateway.settings import engines_in
from tests.gateway.several_engines import FILES, in_time, listed, served, stage_of, start
from tests.gateway.small_cluster import garment
from tests.gateway.small_stages import SmallEngine


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    for pause in ("POLL_S", "REPEAT_S", "WATCH_S"):
        monkeypatch.setattr(gateway.cluster.watch, pause, 0.02)


def test_a_request_chooses_among_the_engines_that_there_are(tmp_path):
    async def scenario():
        async with served(tmp_path) as client:
            own = (await start(client)).json()
            other = (await start(client, engines={"tryon": "other"})).json()
            assert own["status"] == other["status"] == "succeeded", other["error"]
            assert [stage_of(d, "tryon")["engine"] for d in (own, other)] == ["small", "other"]
            assert [d["engines"] for d in (own, other)] == [{}, {"tryon": "other"}]
            pictures = [(await client.get(d["output"]["tryon"])).content for d in (own, other)]
            assert pictures[0] != pictures[1] and b"other 1" in pictures[1], "the picture tells it too"
            assert stage_of(other, "cloth_mask")["reused"], "what comes before is the same"
            again = (await start(client, engines={"tryon": "other"})).json()
            assert stage_of(again, "tryon")["reused"] and stage_of(again, "tryon")["engine"] == "other"
            named = (await start(client, engines={"tryon": "small"})).json()
            assert stage_of(named, "tryon")["reused"] and stage_of(named, "tryon")["engine"] == "small"

    in_time(scenario)


def test_options_are_those_of_the_engine_that_is_chosen(tmp_path):
    async def scenario():
        async with served(tmp_path) as client:
            refused = await start(client, options={"tryon": {"seed": 3}})
            assert (refused.status_code, refused.json()["code"]) == (400, "bad-option")
            made = (await start(client, options={"tryon": {"seed": 3}}, engines={"tryon": "other"})).json()
            assert made["status"] == "succeeded" and stage_of(made, "tryon")["options"] == {"seed": 3}

    in_time(scenario)


def test_what_cannot_be_chosen_is_refused_and_what_there_is_is_named(tmp_path):
    async def scenario():
        async with served(tmp_path) as client:
            for wanted, status, code, said in (
                ({"tryon": "hr_viton"}, 400, "bad-engine", "It has: small, other, lacking"),
                ({"moon": "small"}, 400, "bad-engine", "resize, cloth_mask, agnostic, tryon, paste_back"),
                ({"tryon": 3}, 400, "bad-request", "engines"),
                ("other", 400, "bad-request", "engines"),
                ({"tryon": "lacking"}, 503, "weights-missing", "lacking.pth"),
            ):
                answer = await start(client, engines=wanted)
                assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
                assert said in answer.json()["detail"], answer.text
            idle = await start(client, "/v1/preprocess/cloth", {"garment": garment(1)}, engines={"tryon": "other"})
            assert idle.status_code == 400 and "does not run for this request" in idle.json()["detail"]
            absent = await start(client, engines={"tryon": "hr_viton"})
            assert [answer.json()["stage"] for answer in (idle, absent)] == ["tryon", "tryon"], "programs know which"
            assert (await client.get("/v1/tryons")).json()["tryons"] == [], "nothing is left behind"

    in_time(scenario)


class OfTheCloth(SmallEngine):
    """A generator that looks at the cloth alone, as one that draws it on a model of its own would."""

    name = "of_the_cloth"
    inputs = ("cloth",)
    runs: list[str] = []

    def run(self, inputs, warn):
        self.runs.append(sorted(inputs))
        return {"tryon": inputs["cloth"]}


def test_preprocessing_never_runs_the_generator_however_little_it_needs(tmp_path):
    class Small(SmallEngine):
        def __new__(cls, stage):
            return OfTheCloth(stage) if stage.name == "tryon" else SmallEngine(stage)

    async def scenario():
        async with served(tmp_path, generators=(), engine=Small) as client:
            cloth = (await start(client, "/v1/preprocess/cloth", {"garment": FILES["garment"]})).json()
            assert cloth["status"] == "succeeded" and not OfTheCloth.runs
            assert [stage["stage"] for stage in cloth["stages"]] == ["cloth_mask"]
            assert "tryon" not in cloth["artifacts"]
            for chosen in ({"engines": {"tryon": "of_the_cloth"}}, {"options": {"tryon": {}}}):
                answer = await start(client, "/v1/preprocess/cloth", {"garment": FILES["garment"]}, **chosen)
                assert answer.status_code == 400, answer.text
            person = (await start(client, "/v1/preprocess/person", {"photo": FILES["photo"]})).json()
            assert [stage["stage"] for stage in person["stages"]] == ["resize", "agnostic"]
            dressed = (await start(client)).json()
            assert dressed["status"] == "succeeded" and OfTheCloth.runs == [["cloth"]]
            assert {stage["stage"] for stage in dressed["stages"] if stage["reused"]} == {
                "resize",
                "cloth_mask",
                "agnostic",
            }
            alone = (await start(client, files={"garment": FILES["garment"]})).json()
            assert (alone["kind"], list(alone["output"])) == ("tryon", ["tryon"]), "which it suffices for"

    in_time(scenario)


def test_commercial_use_refuses_what_its_licence_does_not_allow_before_anything_runs(tmp_path):
    async def scenario():
        async with served(tmp_path) as client:
            refused = await start(client, engines={"tryon": "other"}, commercial="true")
            problem = refused.json()
            assert (refused.status_code, problem["code"]) == (422, "not-commercial")
            assert "CC-BY-NC-4.0" in problem["detail"] and "Choose small" in problem["detail"]
            assert (await client.get("/v1/tryons")).json()["tryons"] == []
            made = (await start(client, commercial="true")).json()
            assert made["status"] == "succeeded" and made["commercial"] is True

    in_time(scenario)


def test_batches_choose_too(tmp_path):
    async def scenario():
        async with served(tmp_path) as client:
            ids = [(await client.post("/v1/images", files={"image": data})).json()["id"] for data in FILES.values()]
            wanted = {"photo_ids": ids[:1], "garment_ids": ids[1:], "engines": {"tryon": "other"}}
            batch = (await client.post("/v1/batches", json=wanted)).json()
            document = (await client.get(batch["tryons"][0]["url"])).json()
            assert document["engines"] == {"tryon": "other"}
            refused = await client.post("/v1/batches", json=wanted | {"commercial": True})
            assert (refused.status_code, refused.json()["code"]) == (422, "not-commercial")

    in_time(scenario)


def test_the_list_of_stages_tells_of_each_engine(tmp_path):
    async def scenario():
        async with served(tmp_path) as client:
            found = await listed(client, "tryon")
            assert list(found)[0] == "small" and found["small"]["own"] and not found["other"]["own"]
            assert [found[name]["commercial"] for name in ("small", "other")] == ["yes", "no"]
            assert "seed" in found["other"]["option_schema"]["properties"]
            assert found["other"]["health"]["ready"] and found["lacking"]["health"]["code"] == "weights-missing"

    in_time(scenario)


def test_their_addresses_are_read_from_the_environment():
    told = {"HOWSFIT_TRYON_URLS": "tps=http://a:8000, hr_viton=https://b", "HOWSFIT_POSE_URLS": ""}
    assert engines_in(told, ("pose", "tryon")) == {"tryon": {"tps": "http://a:8000", "hr_viton": "https://b"}}
    assert engines_in(told, ("pose",)) == {}, "of the stages that there are"
    for wrong in ("tps", "tps=a:8000", "=http://a"):
        with pytest.raises(ValueError, match="HOWSFIT_TRYON_URLS"):
            engines_in({"HOWSFIT_TRYON_URLS": wrong}, ("tryon",))
