"""Preprocessing of which only some artifacts are wanted."""

from tests.gateway.several_engines import FILES, in_time, served, stage_of, start

PERSON, CLOTH = "/v1/preprocess/person", "/v1/preprocess/cloth"
PHOTO = {"photo": FILES["photo"]}


def test_what_nobody_wants_is_not_made(tmp_path):
    async def scenario():
        async with served(tmp_path) as client:
            one = (await start(client, PERSON, PHOTO, only="person")).json()
            assert one["status"] == "succeeded" and [stage["stage"] for stage in one["stages"]] == ["resize"]
            assert set(one["output"]) == {"person", "frame"}
            body = {"only": ["parse_agnostic", "agnostic", "agnostic"]}
            both = (await start(client, PERSON, PHOTO, **body)).json()
            assert {stage["stage"] for stage in both["stages"]} == {"resize", "agnostic"}
            assert stage_of(both, "resize")["reused"], "what was made before is there"
            mask = (await start(client, CLOTH, {"garment": FILES["garment"]}, only="cloth_mask")).json()
            assert mask["status"] == "succeeded" and "cloth_mask" in mask["output"]

    in_time(scenario)


def test_the_order_of_wishes_makes_no_other_request(tmp_path):
    async def scenario():
        async with served(tmp_path) as client:
            ids = set()
            for only in ("agnostic,person", "person, agnostic"):
                headers = {"Idempotency-Key": "the-same"}
                answer = await client.post(PERSON, files=PHOTO, data={"only": only}, headers=headers)
                assert answer.status_code == 202 or answer.status_code == 200, answer.text
                ids.add(answer.json()["id"])
            assert len(ids) == 1
            other = await client.post(
                PERSON, files=PHOTO, data={"only": "person"}, headers={"Idempotency-Key": "the-same"}
            )
            assert other.status_code == 409

    in_time(scenario)


def test_what_cannot_be_had_is_refused_by_its_name(tmp_path):
    async def scenario():
        async with served(tmp_path) as client:
            for path, files, only, said in (
                (PERSON, PHOTO, "persn", "did you mean 'person'?"),
                (PERSON, PHOTO, "cloth_mask", "Nothing is left to do for 'cloth_mask'"),
                (PERSON, PHOTO, "tryon", "Nothing is left to do for 'tryon'"),
                ("/v1/tryons", FILES, "person", "'only'"),
            ):
                refused = await start(client, path, files, only=only)
                assert refused.status_code == 400 and said in refused.text, refused.text

    in_time(scenario)
