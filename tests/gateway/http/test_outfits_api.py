"""Several garments on one person: a gateway and small stages in this process.

The pictures have one colour above and one below: a dress gives both, an upper the one above, a lower the one below.
"""

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

import gateway.cluster.watch
from stagekit import Stage, options
from stagekit.errors import GarmentNotFound
from stagekit.formats import HEIGHT
from tests.gateway.several_engines import in_time, served
from tests.gateway.small_stages import STAGES, SmallEngine, filled
from tests.pictures import encoded, picture

PERSON, SHIRT, JEANS, DRESS = (200, 180, 160), (250, 10, 10), (10, 10, 250), (10, 250, 10)
POSE = {"version": 1.3, "people": [{"pose_keypoints_2d": [100.0, 200.0, 1.0] * 25}]}
DRESSING = {
    **STAGES,
    "pose": Stage("pose", {"person": "image"}, {"pose": "keypoints"}, "dressing"),
    "human_parse": Stage("human_parse", {"person": "image", "pose": "keypoints"}, {"parse": "labels"}, "dressing"),
    "category": Stage("category", {"cloth": "image"}, {"category": "category"}, "dressing"),
    "tryon": Stage(
        "tryon",
        {"person": "image", "parse": "labels", "cloth": "image", "category": "category"},
        {"tryon": "image"},
        "dressing",
    ),
}
DRESSING.pop("agnostic")


class Dressing(SmallEngine):
    name = "dressing"
    categories = ("upper", "lower", "dress")
    unlucky: list[tuple[int, int, int]] = []
    ran: list[tuple[str, tuple[int, ...]]] = []

    def option_schema(self):
        return {"seed": options.integer("Of the noise.", 0, 0, 99)} if self._stage.name == "tryon" else {}

    def run_with(self, chosen, inputs, warn):
        stage = self._stage.name
        shown = inputs.get("person", inputs.get("garment"))
        self.ran.append((stage, () if shown is None else tuple(map(int, shown[-1, 0]))))
        if stage == "tryon":
            return {"tryon": self.dressed(inputs, chosen["seed"], warn)}
        made = {"pose": {"pose": POSE}, "category": {"category": "upper"}}
        if stage == "human_parse":
            return {"parse": filled(int(inputs["person"][-1, 0, 0]) % 20)}
        if stage in made:
            return made[stage]
        if stage == "paste_back":
            photo = inputs["photo"].copy()
            photo[: len(photo) // 2], photo[len(photo) // 2 :] = inputs["tryon"][1, 0], inputs["tryon"][-1, 0]
            return {"tryon_photo": photo}
        return self.run(inputs, warn)

    def dressed(self, inputs, seed, warn):
        colour = inputs["cloth"][0, 0]
        if tuple(map(int, colour)) in self.unlucky:
            raise GarmentNotFound("There is none.")
        assert inputs["parse"][0, 0] == inputs["person"][-1, 0, 0] % 20, "the parse is of the person as she is now"
        warn("worn", inputs["category"])
        result = np.array(inputs["person"])
        if inputs["category"] != "lower":
            result[: HEIGHT // 2] = colour
        if inputs["category"] != "upper":
            result[HEIGHT // 2 :] = colour
        result[0] = seed
        return result


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    for pause in ("POLL_S", "REPEAT_S", "WATCH_S"):
        monkeypatch.setattr(gateway.cluster.watch, pause, 0.02)
    monkeypatch.setattr(Dressing, "unlucky", [])
    monkeypatch.setattr(Dressing, "ran", [])


def dressing(folder):
    return served(folder, (), DRESSING, Dressing)


def png(colour):
    return encoded(picture(size=(300, 400), colour=colour))


def outfit(**garments):
    return {"photo": png(PERSON)} | {f"garments.{category}": png(colour) for category, colour in garments.items()}


async def post(client, files, headers=None, **fields):
    told = {name: value if isinstance(value, str) else json.dumps(value) for name, value in fields.items()}
    return await client.post(
        "/v1/tryons", files=files, data=told, headers={"Prefer": "wait=20", "Cache-Control": "", **(headers or {})}
    )


async def made(client, files, **fields):
    document = (await post(client, files, **fields)).json()
    assert document["status"] == "succeeded", document["error"]
    return document


async def colours(client, address):
    """Above and below."""
    with Image.open(io.BytesIO((await client.get(address)).content)) as image:
        return image.convert("RGB").getpixel((0, 1)), image.convert("RGB").getpixel((0, image.height - 1))


def test_outfits_are_compared(tmp_path):
    async def scenario():
        async with dressing(tmp_path) as client:
            variants = [{"options": {"tryon": {"seed": seed}}} for seed in (3, 5)]
            headers = {"Prefer": "wait=20", "Idempotency-Key": "looks"}

            async def compare(files):
                return await client.post(
                    "/v1/comparisons", files=files, data={"variants": json.dumps(variants)}, headers=headers
                )

            answer = await compare(outfit(upper=SHIRT, lower=JEANS))
            document = answer.json()
            assert document["counts"] == {"succeeded": 2}, answer.text
            assert [each["category"] for each in document["garments"]] == ["lower", "upper"]
            tryons = [(await client.get(row["url"])).json() for row in document["variants"]]
            assert [each["image"] for each in document["garments"]] == [g["image"] for g in tryons[0]["garments"]]
            assert [await colours(client, tryon["output"]["tryon"]) for tryon in tryons] == [(SHIRT, JEANS)] * 2
            for row, tryon in zip(document["variants"], tryons, strict=True):
                runs = [s["timings"]["total"] for g in tryon["garments"] for s in g["stages"] if s["stage"] == "tryon"]
                assert len(runs) == 2 and row["seconds"] == pytest.approx(sum(runs))
                assert row["seconds"] < row["total_seconds"]
            sheet = await client.get(document["urls"]["sheet"])
            with Image.open(io.BytesIO(sheet.content)) as shown:
                assert shown.width > 4 * 384 and {JEANS, SHIRT} <= {colour for _, colour in shown.getcolors(2**20)}
            assert (await compare(outfit(upper=SHIRT, lower=JEANS))).json()["id"] == document["id"]
            assert (await compare(outfit(upper=SHIRT, lower=DRESS))).json()["code"] == "conflict"
            headers.pop("Idempotency-Key")
            assert "cannot be worn together" in (await compare(outfit(dress=SHIRT, lower=DRESS))).json()["detail"]
            await client.delete(document["variants"][0]["url"])
            await client.delete(document["variants"][1]["url"])
            assert (await client.get(document["urls"]["sheet"])).status_code == 200

    in_time(scenario)


def stages(document):
    return [stage["stage"] for stage in document["stages"]]


def test_a_top_and_trousers_are_put_on_one_after_the_other_in_one_document(tmp_path):
    async def scenario():
        async with dressing(tmp_path) as client:
            document = await made(client, outfit(upper=SHIRT, lower=JEANS))
            assert await colours(client, document["output"]["tryon"]) == (SHIRT, JEANS)
            assert await colours(client, document["output"]["tryon_photo"]) == (SHIRT, JEANS)
            lower, upper = document["garments"]
            assert (lower["category"], upper["category"]) == ("lower", "upper"), "trousers first, however they are sent"
            assert await colours(client, lower["artifacts"]["tryon"]) == (PERSON, JEANS)
            assert await colours(client, document["artifacts"]["person"]) == (PERSON, PERSON)
            assert await colours(client, document["artifacts"]["cloth"]) == (JEANS, JEANS)
            assert await colours(client, upper["artifacts"]["cloth"]) == (SHIRT, SHIRT)
            # What the clothes do not change of her is made once, her parse of how she looks now.
            ran = [stage for stage, _ in Dressing.ran]
            assert sorted(ran) == sorted(
                ["resize", "pose", *2 * ["cloth_mask", "human_parse", "tryon"], "paste_back"]
            ), ran
            assert sorted(stages(document)) == sorted([*ran_once(ran), "category"])
            assert sorted(stages(upper)) == sorted(["cloth_mask", "category", "human_parse", "tryon"])
            assert {stage["engine"] for stage in upper["stages"] if stage["stage"] == "category"} == {"given"}
            assert [w["detail"] for w in document["warnings"] if w["code"] == "worn"] == ["lower", "upper"]
            assert [[w["detail"] for w in each["warnings"] if w["code"] == "worn"] for each in (lower, upper)] == [
                ["lower"],
                ["upper"],
            ]
            assert document["images"].keys() == {"photo", "garment"} and len({lower["image"], upper["image"]}) == 2
            again = await made(client, outfit(upper=SHIRT, lower=JEANS))
            assert len(Dressing.ran) == len(ran) and again["output"], "all of it was made before"
            assert all(stage["reused"] for each in again["garments"] for stage in each["stages"] if stage["made_by"])

    in_time(scenario)


def ran_once(ran):
    return list(dict.fromkeys(ran))


def test_json_and_ids_of_uploaded_pictures_do_as_well_and_an_upper_goes_over_a_dress(tmp_path):
    async def scenario():
        async with dressing(tmp_path) as client:
            image = (await client.post("/v1/images", files={"image": png(DRESS)})).json()["id"]
            packed = base64.b64encode(png(SHIRT)).decode()
            body = {
                "photo": base64.b64encode(png(PERSON)).decode(),
                "garments": [{"garment": packed, "category": "upper"}, {"garment_id": image, "category": "dress"}],
            }
            document = (await client.post("/v1/tryons", json=body, headers={"Prefer": "wait=20"})).json()
            assert await colours(client, document["output"]["tryon"]) == (SHIRT, DRESS)
            files = {"photo": png(PERSON), "garments.dress": (None, image), "garments.upper": png(SHIRT)}
            again = await made(client, files)
            assert again["garments"][0]["image"] == image
            assert await colours(client, again["output"]["tryon"]) == (SHIRT, DRESS)
            alone = await made(client, {"photo": png(PERSON), "garments.lower": png(JEANS)})
            assert alone["garments"] == [] and await colours(client, alone["output"]["tryon"]) == (PERSON, JEANS)

    in_time(scenario)


def test_samples_of_an_outfit_differ_in_both_garments(tmp_path):
    async def scenario():
        async with dressing(tmp_path) as client:
            document = await made(client, outfit(upper=SHIRT, lower=JEANS), samples="2")
            assert [each["seed"] for each in document["samples"]] == [0, 1]
            for each in document["samples"]:
                assert await colours(client, each["output"]["tryon"]) == (SHIRT, JEANS)
                assert await colours(client, each["output"]["tryon_photo"]) == (SHIRT, JEANS)
            ran = [stage for stage, _ in Dressing.ran]
            assert {name: ran.count(name) for name in ("tryon", "human_parse", "cloth_mask", "pose")} == {
                "tryon": 4,
                "human_parse": 3,  # of the person, and of each that has the trousers on
                "cloth_mask": 2,
                "pose": 1,
            }

    in_time(scenario)


def test_one_that_fails_at_the_second_garment_goes_on_there(tmp_path, monkeypatch):
    async def scenario():
        async with dressing(tmp_path) as client:
            monkeypatch.setattr(Dressing, "unlucky", [SHIRT])
            document = (await post(client, outfit(upper=SHIRT, lower=JEANS))).json()
            assert document["status"] == "failed" and document["error"]["garment"] == 2
            assert document["error"]["code"] == "garment-not-found"
            assert await colours(client, document["artifacts"]["tryon"]) == (PERSON, JEANS), "as far as it came"
            monkeypatch.setattr(Dressing, "unlucky", [])
            before = len(Dressing.ran)
            await client.post(f"/v1/tryons/{document['id']}/retry")
            async with client.stream("GET", document["urls"]["events"]) as stream:
                async for _ in stream.aiter_lines():
                    pass
            document = (await client.get(document["urls"]["get"])).json()
            assert document["status"] == "succeeded"
            assert [stage for stage, _ in Dressing.ran[before:]] == ["tryon", "paste_back"]

    in_time(scenario)


def test_deleting_it_forgets_what_was_made_from_either_garment_and_of_the_person_in_between(tmp_path):
    async def scenario():
        async with dressing(tmp_path) as client:
            document = await made(client, outfit(upper=SHIRT, lower=JEANS))
            ran = len(Dressing.ran)
            assert (await client.delete(document["urls"]["get"])).status_code == 204
            await made(client, outfit(upper=SHIRT, lower=JEANS))
            assert len(Dressing.ran) == 2 * ran, "nothing was kept"

    in_time(scenario)


def test_the_parse_of_a_dressed_person_is_forgotten_with_any_of_what_she_was_made_from(tmp_path):
    async def scenario():
        async with dressing(tmp_path) as client:
            both = await made(client, outfit(upper=SHIRT, lower=JEANS))
            jeans = await made(client, {"photo": encoded(picture(size=(300, 400), colour=(1, 2, 3))),
                                        "garments.lower": png(JEANS)})  # fmt: skip
            # Another try-on of the trousers goes, and with it all of them: the outfit's second half came from them, too.
            assert (await client.delete(jeans["urls"]["get"])).status_code == 204
            assert (await client.delete(both["urls"]["get"])).status_code == 204
            before = len(Dressing.ran)
            await made(client, outfit(upper=SHIRT, lower=JEANS))
            assert sum(stage == "human_parse" for stage, _ in Dressing.ran[before:]) == 2

    in_time(scenario)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"garments.dress": DRESS, "garments.lower": JEANS}, "A dress and a lower garment cannot be worn together"),
        ({"garments.upper": SHIRT, "garment": JEANS}, "either 'garments' or 'garment'"),
        (
            {"garments.upper": SHIRT, "garments.lower": JEANS, "artifacts.cloth": JEANS},
            "'cloth' belongs to one garment",
        ),
        ({"garments.hat": SHIRT}, "category"),
        ({"garments": SHIRT}, "garments.upper"),
    ],
)
def test_what_cannot_be_worn_together_is_refused_with_a_plain_word(tmp_path, files, said):
    async def scenario():
        async with dressing(tmp_path) as client:
            sent = {name: png(colour) for name, colour in files.items()} | {"photo": png(PERSON)}
            if "artifacts.cloth" in sent:
                sent["artifacts.cloth"] = encoded(picture(size=(768, 1024), colour=JEANS))
            refused = await post(client, sent)
            assert refused.status_code in (400, 422), refused.text
            assert said in refused.text, refused.text
            assert Dressing.ran == []

    in_time(scenario)


def test_two_uppers_are_refused_and_so_is_a_garment_without_a_picture(tmp_path):
    async def scenario():
        async with dressing(tmp_path) as client:
            packed = base64.b64encode(png(SHIRT)).decode()
            photo = base64.b64encode(png(PERSON)).decode()
            for garments, said in (
                (2 * [{"garment": packed, "category": "upper"}], "Two garments of category 'upper'"),
                ([{"category": "upper"}], "has no picture"),
                ([], "1 or more"),
            ):
                refused = await client.post("/v1/tryons", json={"photo": photo, "garments": garments})
                assert refused.status_code in (400, 422) and said in refused.text, refused.text

    in_time(scenario)


def test_a_picture_for_a_garment_that_there_is_not_is_not_found(tmp_path):
    async def scenario():
        async with dressing(tmp_path) as client:
            document = await made(client, {"photo": png(PERSON), "garment": png(SHIRT)})
            answer = await client.get(document["artifacts"]["cloth"] + "?garment=2")
            assert answer.status_code == 404 and "no garment 2" in answer.text

    in_time(scenario)
