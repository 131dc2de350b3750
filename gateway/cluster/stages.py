"""A stage as the gateway sees it: an HTTP client that talks the stage protocol."""

import asyncio
import contextlib
import json
import re
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import httpx
from pydantic import ValidationError

from gateway.cluster.answers import check_answer
from gateway.cluster.news import News
from gateway.errors import GatewayError, StageNonsense, StageRefused, StageUnreachable, StartupError
from stagekit.errors import BadOption, MissingArtifact
from stagekit.kinds import CATEGORIES, KINDS
from stagekit.licences import commercial_use
from stagekit.options import PART, OptionSchema, check_options, fingerprint_of_run, is_schema
from stagekit.tracing import traceparent
from stagekit.wire import (
    ENGINE_HEADER,
    FINGERPRINT_HEADER,
    PREVIEWS_HEADER,
    RUN_HEADER,
    TIMEOUT_HEADER,
    WARNINGS_HEADER,
    Part,
    decode,
    decode_warnings,
    encode,
)

CONTRACT = 1
HEALTH_S = 5.0
GRACE_S = 5.0
"""A stage that gives up in time needs so long to say so."""

QUIET_S = 0.5
"""A run is asked for news after this time: most have ended by then."""

NEWS_EVERY_S, NO_NEWS_S = 0.1, 1.0
"""Pauses between news, and after a question that brought none."""

NEWS_WITHIN_S = 20.0
"""A stage that has no news for longer says so within this time."""

STARTING, FAILED = "starting", "setup_failed"
"""States of a stage whose engine is loading, and of one whose engine did not load."""

SAME = ("engine", "version", "options", "inputs", "outputs")
"""Members of /info by which an engine is the same as before, whether or not it knows its weights."""

SEED = "seed"
"""The option of an engine by which one run of it differs from the next."""

NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})

MEND = "Check that HOWSFIT_STAGES leads to a stage of this version, look into its log, then retry."


Listener = Callable[[str, News], Awaitable[None]]
"""listener(run_id, news): told of each news of a run."""


@dataclass
class Run:
    """What one run of a stage gave."""

    outputs: dict[str, Part]
    engine: str
    fingerprint: str
    warnings: list[dict[str, str]]
    timings_s: dict[str, float] = field(default_factory=dict)
    """Seconds by phase as the stage reports them, and `total` as seen from here."""


class StageClient:
    """Talks the stage protocol to one stage, over the network or in memory."""

    def __init__(self, name: str, address: str, apps: Mapping[str, Any], timeout_s: float) -> None:
        """apps: ASGI apps for inproc:// addresses. Raises StartupError for an address that cannot be used."""
        self.name = name
        self.address = address
        self.info: dict[str, Any] = {}
        """Its /info as last read; empty until it was ready, or said that it cannot start."""
        self.seen: dict[str, Any] = {"ready": False, "detail": f"Stage '{name}' was not asked yet."}
        """How it was when it was last looked at: `ready`, and its /readyz or why there was no answer."""
        self.instead_of: str | None = None
        """Why this one serves the stage, where it is a fallback."""
        self._timeout_s = timeout_s
        self._http = httpx.AsyncClient(
            transport=_transport(address, apps),
            base_url=re.sub("^inproc://", "http://", address),
            timeout=httpx.Timeout(connect=5, read=timeout_s + GRACE_S, write=30, pool=5),
        )

    @property
    def mounted(self) -> bool:
        """Whether it runs in this process, where its pages can be reached below /stages/."""
        return self.address.startswith("inproc://")

    @property
    def start_s(self) -> float:
        """How long it may be away while it is started anew, in seconds, as it told when it was last asked."""
        seconds = self.info.get("start_seconds")
        return float(seconds) if isinstance(seconds, (int, float)) else 0.0

    @property
    def failed(self) -> bool:
        """Whether its engine could not start, when it was last looked at."""
        return self.seen.get("state") == FAILED

    @property
    def option_schema(self) -> OptionSchema:
        """What one run may set, option -> JSON Schema; none while the stage was not ready."""
        schema: OptionSchema = self.info.get("option_schema", {}).get("properties", {})
        return schema

    @property
    def seeds(self) -> range:
        """Those that a run may choose; none for an engine that always makes the same."""
        schema = self.option_schema.get(SEED, {})
        if schema.get("type") != "integer" or "enum" in schema:
            return range(0)
        return range(int(schema["minimum"]), int(schema["maximum"]) + 1)

    @property
    def engine(self) -> str:
        """Its engine's name; empty while it is unknown."""
        return str(self.info.get("engine", ""))

    @property
    def commercial(self) -> str:
        """Whether what it makes may be used commercially: yes, no or unclear."""
        return commercial_use(self.info)

    @property
    def categories(self) -> tuple[str, ...]:
        """Of garments that a generator dresses people in; one that does not say is for all."""
        told = self.info.get("categories", CATEGORIES)
        return tuple(map(str, told)) if isinstance(told, list) else CATEGORIES

    def differing(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Those of a run's options that are not the defaults. Raises BadOption naming what there is."""
        try:
            return check_options(self.option_schema, options, self.engine)
        except BadOption as error:
            raise BadOption(error.detail, members=error.members | {"stage": self.name}) from None

    def fingerprint(self, options: Mapping[str, Any]) -> str:
        """What a run has to have come from. options: as `differing` gives them."""
        return fingerprint_of_run(str(self.info.get("fingerprint", "")), options)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def look(self) -> None:
        """See how it is, and what it says of itself; never raises for what is wrong with it."""
        try:
            seen = await self.readiness()
            # Not while it is loading: an engine does not know all of itself before.
            if seen["ready"]:
                await self.read_info()
            elif seen.get("state") == FAILED:
                with contextlib.suppress(GatewayError):  # its own reason is the better one
                    await self.read_info()
        except GatewayError as error:
            seen = {"ready": False, **error.problem()}
        self.seen = seen

    async def readiness(self) -> dict[str, Any]:
        """The stage's /readyz document, with `ready`. Raises StageUnreachable."""
        answer = await self._send("GET", "/readyz", HEALTH_S)
        return {"ready": answer.status_code == 200, **_json(answer)}

    async def read_info(self) -> dict[str, Any]:
        """Read /info anew. Raises StageUnreachable, StageNonsense."""
        answer = await self._send("GET", "/info", HEALTH_S)
        info = _json(answer)
        if answer.status_code != 200 or info.get("contract") != CONTRACT or info.get("stage") != self.name:
            raise StageNonsense(
                f"{self.address} does not speak as stage '{self.name}' in contract {CONTRACT}. Check HOWSFIT_STAGES."
            )
        if not all(
            isinstance(named, dict) for named in (info.get("inputs"), info.get("outputs"), info.get("optional", {}))
        ):
            raise StageNonsense(f"Stage '{self.name}' does not say what it takes and gives. {MEND}")
        kinds = (*info["inputs"].values(), *info.get("optional", {}).values(), *info["outputs"].values())
        if unknown := set(map(str, kinds)) - KINDS.keys():
            raise StageNonsense(
                f"Stage '{self.name}' speaks of {', '.join(sorted(unknown))}, no kinds known here. {MEND}"
            )
        schema = info.get("option_schema", {})
        if not isinstance(schema, dict) or not is_schema(schema.get("properties", {})):
            raise StageNonsense(f"Stage '{self.name}' declares options that cannot be read. {MEND}")
        if info.get("state") == FAILED and all(info.get(name) == self.info.get(name) for name in SAME):
            # Without its weights it does not know the fingerprint of what it made with them.
            info |= {name: self.info[name] for name in ("fingerprint", "weights") if name in self.info}
        self.info = info
        return info

    async def run(
        self,
        inputs: Mapping[str, Part],
        trace_id: str,
        options: Mapping[str, Any] = NO_OPTIONS,
        listener: Listener | None = None,
        previews: bool = False,
    ) -> Run:
        """Run the stage. options: as `differing` gives them. previews: whether the listener wants to see what there is so far.
        When this is canceled, the stage hears of it, and stops at its next step.

        Raises StageRefused, StageUnreachable, StageNonsense.
        """
        began = time.perf_counter()
        parts = dict(inputs)
        if options:
            parts[PART] = Part(json.dumps(options).encode(), "application/json")
        content_type, body = encode(parts)
        headers = {
            "content-type": content_type,
            "traceparent": traceparent(trace_id),
            TIMEOUT_HEADER: str(int(self._timeout_s * 1000)),
        }
        run_id = uuid.uuid4().hex
        if listener is not None and self.info.get("progress") is True:
            headers[RUN_HEADER] = run_id
            headers |= {PREVIEWS_HEADER: "true"} if previews else {}
        async with self._heard(run_id, listener if RUN_HEADER in headers else None):
            answer = await self._send("POST", "/run", self._timeout_s + GRACE_S, content=body, headers=headers)
        if answer.status_code != 200:
            raise self._refusal(answer)
        fingerprint = answer.headers.get(FINGERPRINT_HEADER, "")
        if fingerprint != self.fingerprint(options):
            await self.read_info()  # the stage was restarted with another engine, version or weights
        try:
            outputs = decode(answer.headers.get("content-type"), answer.content)
            await asyncio.to_thread(check_answer, self.info["outputs"], outputs)
            warnings = decode_warnings(answer.headers.get(WARNINGS_HEADER))
        except MissingArtifact:
            raise StageNonsense(
                f"Stage '{self.name}' answered what is no well-formed multipart/form-data. {MEND}"
            ) from None
        except ValueError as error:
            raise StageNonsense(f"The answer of stage '{self.name}' cannot be used. {error} {MEND}") from None
        timings = _server_timing(answer.headers.get("server-timing", ""))
        timings["total"] = time.perf_counter() - began
        return Run(outputs, answer.headers.get(ENGINE_HEADER, ""), fingerprint, warnings, timings)

    async def preview(self, run_id: str) -> Part | None:
        """The latest picture of what there is so far of a run; None where there is none, or not any more. Raises StageNonsense,
        StageUnreachable."""
        answer = await self._send("GET", f"/runs/{run_id}/preview", HEALTH_S)
        media_type = answer.headers.get("content-type", "")
        return Part(answer.content, media_type) if answer.status_code == 200 and media_type == "image/jpeg" else None

    @contextlib.asynccontextmanager
    async def _heard(self, run_id: str, listener: Listener | None) -> AsyncIterator[None]:
        """While this is entered, the listener is told."""
        if listener is None:
            yield
            return
        listening = asyncio.create_task(self._listen(run_id, listener))
        try:
            yield
        finally:
            listening.cancel()
            await asyncio.wait({listening})

    async def _listen(self, run_id: str, listener: Listener) -> None:
        await asyncio.sleep(QUIET_S)
        number = 0
        while True:
            news = await self._news(run_id, number)
            if news is not None and news.number > number:
                number = news.number
                if news.says_something:
                    await listener(run_id, news)
            await asyncio.sleep(NO_NEWS_S if news is None else NEWS_EVERY_S)

    async def _news(self, run_id: str, after: int) -> News | None:
        """None where there is none to be had: the request may not have come there yet, or to another one of several."""
        try:
            answer = await self._send("GET", f"/runs/{run_id}", NEWS_WITHIN_S, params={"after": after})
            return News.model_validate(_json(answer)) if answer.status_code == 200 else None
        except (GatewayError, ValidationError):
            return None

    async def _send(self, method: str, path: str, within_s: float, **options: Any) -> httpx.Response:
        """The whole answer, read within this time: a server that trickles byte after byte is not waited for either."""
        try:
            async with asyncio.timeout(within_s):
                return await self._http.request(method, path, **options)
        except (TimeoutError, httpx.TimeoutException) as error:
            raise StageUnreachable(
                f"Stage '{self.name}' at {self.address} did not answer in time. Check that it runs and is not "
                "overburdened, then retry.",
                "away" if isinstance(error, httpx.ConnectTimeout) else "late",
            ) from None
        except httpx.TransportError as error:
            raise StageUnreachable(
                f"Stage '{self.name}' at {self.address} cannot be reached ({error}). Check that it runs, then retry.",
                "away" if isinstance(error, httpx.ConnectError) else "hung-up",
            ) from None
        except httpx.DecodingError:
            raise StageNonsense(f"The answer of stage '{self.name}' is not compressed as it says. {MEND}") from None

    def _refusal(self, answer: httpx.Response) -> Exception:
        problem = _json(answer)
        if "code" not in problem:
            return StageNonsense(
                f"Stage '{self.name}' answered {answer.status_code} without a problem document. {MEND}"
            )
        problem.pop("instance", None)  # a path inside the stage, of no use outside
        return StageRefused(problem)


def _transport(address: str, apps: Mapping[str, Any]) -> httpx.AsyncBaseTransport:
    if address.startswith(("http://", "https://")):
        # Uvicorn closes a connection that was idle for 5 s: closed here before, none is closed under a request.
        return httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=32, keepalive_expiry=3))
    name = address.removeprefix("inproc://")
    if name == address or name not in apps:
        raise StartupError(
            f"The address '{address}' cannot be used here. Write http://HOST:PORT; inproc:// is for `howsfit serve`."
        )
    return httpx.ASGITransport(app=apps[name], raise_app_exceptions=False)


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        document = answer.json()
    except (json.JSONDecodeError, UnicodeDecodeError):
        return {}
    return document if isinstance(document, dict) else {}


def _server_timing(header: str) -> dict[str, float]:
    return {name: float(ms) / 1000 for name, ms in re.findall(r"(\w+);dur=(\d+(?:\.\d+)?)", header)}
