"""A client of the public API, over the network or of a gateway embedded in this process.

Example::

    async with howsfit.connect() as client:  # or howsfit.connect("https://tryon.example", key="hf_…")
        result = await client.try_on(photo_bytes, garment_bytes)
        picture = await client.artifact(result, "tryon")
"""

import asyncio
import contextlib
import json
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from urllib.parse import quote

if TYPE_CHECKING:  # it takes longer to import than the command to refuse a file
    import httpx

Progress = Callable[[dict[str, Any]], None]
"""Called with the try-on document whenever it was read anew."""


class Loading(NamedTuple):
    """An engine of a gateway in this process."""

    stage: str
    engine: str
    seconds: float | None
    """That it took to load; None: it is not loaded yet."""


OnLoading = Callable[[list[Loading]], None]
"""Called with all engines, again and again until none is left to load."""

POLL_S, COMPARISON_POLL_S = 0.05, 0.2

ENDED = ("succeeded", "failed", "canceled")
"""Status of a try-on of which nothing more comes."""


class TryonFailed(Exception):
    """The try-on ended without a picture; `problem` says why (RFC 9457) and `document` how far it came."""

    def __init__(self, problem: dict[str, Any], document: dict[str, Any] | None = None) -> None:
        super().__init__(problem.get("detail") or problem.get("title") or "failed")
        self.problem = problem
        self.document = document or {}


class Client:
    """Use `connect` to make one."""

    def __init__(self, http: "httpx.AsyncClient") -> None:
        self._http = http

    async def try_on(
        self,
        photo: bytes,
        garment: bytes | Mapping[str, bytes],
        on_progress: Progress | None = None,
        options: Mapping[str, Mapping[str, Any]] | None = None,
        artifacts: Mapping[str, bytes] | None = None,
        engines: Mapping[str, str] | None = None,
        commercial: bool = False,
        retention_s: float | None = None,
        forget: Literal["fetched"] | None = None,
        samples: int | None = None,
    ) -> dict[str, Any]:
        """Dress the person of `photo` in `garment`; both are picture files' bytes.

        garment: of several, by category: {"upper": …, "lower": …}, or {"upper": …, "dress": …}.
        options: of engines, by stage: {"tryon": {"hem": "tucked"}}; GET /v1/stages has their schemas.
        artifacts: files in the place of what stages would make, by name: {"parse": …, "category": b'{"category": "upper"}'}.
        engines: stage -> engine, of those that GET /v1/stages lists. commercial: refuse those that may not be used so.
        retention_s: how long the gateway keeps it after its end, in seconds. forget: "fetched", as soon as its picture was
        downloaded; get whatever else is wanted of it before. samples: so many results, each with another seed, of an engine
        that has one.
        Returns the try-on document. Raises TryonFailed, or httpx.TransportError when the gateway is out of reach.
        """
        asked = {"retention_s": retention_s, "forget": forget, "samples": samples}
        fields = _chosen(options, engines, commercial) | {n: str(v) for n, v in asked.items() if v is not None}
        files = _pictures(photo, garment) | {f"artifacts.{n}": d for n, d in (artifacts or {}).items()}
        answer = await self._http.post("/v1/tryons", files=files, data=fields)
        document = _checked(answer)
        while document["status"] not in ENDED:
            if on_progress:
                on_progress(document)
            await asyncio.sleep(POLL_S)
            document = _checked(await self._http.get(document["urls"]["get"]))
        if on_progress:
            on_progress(document)
        if document["status"] != "succeeded":
            raise TryonFailed(document["error"] or {"title": "The try-on was canceled"}, document)
        return document

    async def compare(
        self,
        photo: bytes,
        garment: bytes | Mapping[str, bytes],
        variants: Sequence[Mapping[str, Any]],
        on_progress: Progress | None = None,
        options: Mapping[str, Mapping[str, Any]] | None = None,
        engines: Mapping[str, str] | None = None,
        commercial: bool = False,
    ) -> dict[str, Any]:
        """The same through several engines or with several options, as `try_on`.

        variants: [{"engines": {"tryon": "tps"}}, {"label": "tucked", "options": {"tryon": {"hem": "tucked"}}}], for instance;
        what is said besides holds where a variant says nothing.
        Returns the comparison's document, in which any of the variants may have failed. Raises TryonFailed for a refusal, or
        httpx.TransportError when the gateway is out of reach.
        """
        fields = _chosen(options, engines, commercial) | {"variants": json.dumps(variants)}
        answer = await self._http.post("/v1/comparisons", files=_pictures(photo, garment), data=fields)
        document = _checked(answer)
        while document["status"] != "completed":
            if on_progress:
                on_progress(document)
            await asyncio.sleep(COMPARISON_POLL_S)
            document = _checked(await self._http.get(document["urls"]["get"]))
        if on_progress:
            on_progress(document)
        return document

    async def sheet(self, document: dict[str, Any], language: str = "en") -> bytes:
        """The contact sheet of a comparison, a PNG. language: of its words, en or ko."""
        answer = await self._http.get(document["urls"]["sheet"], params={"language": language})
        _checked_status(answer)
        return answer.content

    async def start(
        self,
        path: str,
        files: Mapping[str, bytes],
        options: Mapping[str, Mapping[str, Any]] | None = None,
        engines: Mapping[str, str] | None = None,
        commercial: bool = False,
        category: str | None = None,
        only: Sequence[str] = (),
        idempotency_key: str | None = None,
    ) -> dict[str, Any]:
        """Start a job and return its document at once. path: /v1/tryons, /v1/preprocess/person or /v1/preprocess/cloth.

        files: as the request's form has them: `photo`, `garment`, `artifacts.parse`. category: what the garment is, or what the
        person is made ready for. only: the artifacts that are wanted of preprocessing. idempotency_key: a second request with
        it is the same job.
        Raises TryonFailed for a refusal, or httpx.TransportError when the gateway is out of reach.
        """
        asked = {"category": category, "only": ",".join(only)}
        fields = _chosen(options, engines, commercial) | {name: value for name, value in asked.items() if value}
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return _checked(await self._http.post(path, files=dict(files), data=fields, headers=headers))

    async def job(self, job_id: str) -> dict[str, Any]:
        """Its document, as far as it has come."""
        return _checked(await self._http.get("/v1/tryons/" + quote(job_id, safe="")))

    async def forget(self, job_id: str) -> None:
        """The gateway forgets a job with all its pictures. One that it does not know any more is forgotten."""
        answer = await self._http.delete("/v1/tryons/" + quote(job_id, safe=""))
        if answer.status_code != 404:
            _checked_status(answer)

    async def artifact(self, document: dict[str, Any], name: str, sample: int = 1) -> bytes:
        """The bytes of one artifact of a try-on. sample: which one's, of a result of several.

        Raises KeyError when it has none of that name, IndexError when there is no such sample.
        """
        addresses = document["samples"][sample - 1]["output"] if sample > 1 else document["artifacts"]
        # The gateway may point to the storage itself.
        answer = await self._http.get(addresses[name], follow_redirects=True)
        _checked_status(answer)
        return answer.content

    async def dataset(self, document: dict[str, Any]) -> bytes:
        """All artifacts in the VITON-HD layout, as a ZIP archive."""
        answer = await self._http.get(document["urls"]["dataset"])
        _checked_status(answer)
        return answer.content

    async def stages(self) -> list[dict[str, Any]]:
        """The /info of every stage, with what it waits for and its health, in running order."""
        stages: list[dict[str, Any]] = _checked(await self._http.get("/v1/stages"), "stages")["stages"]
        return stages

    async def create_key(self, owner: str, **options: Any) -> dict[str, Any]:
        """Make a key; its document holds it as `key`, this once. options: as POST /v1/keys takes them.

        This and the next two need a key with the scope admin.
        """
        return _checked(await self._http.post("/v1/keys", json={"owner": owner} | options))

    async def keys(self) -> list[dict[str, Any]]:
        """All keys, the newest first, without their secrets."""
        keys: list[dict[str, Any]] = _checked(await self._http.get("/v1/keys"), "keys")["keys"]
        return keys

    async def revoke_key(self, key_id: str) -> None:
        """It opens nothing from now on."""
        _checked_status(await self._http.delete("/v1/keys/" + quote(key_id, safe="")))


@contextlib.asynccontextmanager
async def connect(
    url: str | None = None,
    key: str | None = None,
    on_loading: OnLoading | None = None,
    engines: Mapping[str, str | Sequence[str]] | None = MappingProxyType({}),
    max_running: int | None = None,
    data_dir: Path | None = None,
) -> AsyncIterator[Client]:
    """Connect to the gateway at `url`; without one, run gateway and default engines in this process.

    engines: stage -> engine or engines, which the gateway in this process runs beside the stage's own, for requests that choose
    them; None: all whose packages are installed. max_running: try-ons that it makes at a time; default: HOWSFIT_MAX_RUNNING.
    data_dir: where it keeps its jobs, so that another one in that folder goes on with them; default: it forgets all at its end.
    key: an API key, for a gateway that asks for one. on_loading: told of the engines of this process while they load.
    Raises ValueError or gateway.errors.StartupError when the embedded one cannot start.
    """
    import httpx

    timeout = httpx.Timeout(connect=5, read=300, write=60, pool=5)
    if url is not None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        async with httpx.AsyncClient(base_url=url, timeout=timeout, headers=headers) as http:
            yield Client(http)
        return
    # Imported here: a client of a gateway elsewhere needs neither the engines nor their libraries.
    from gateway.settings import Settings
    from howsfit.embedded import create_app

    with tempfile.TemporaryDirectory(prefix="howsfit-") as folder:
        settings = Settings(data_dir=data_dir or Path(folder), admin_key=None)
        if max_running is not None:
            settings = settings.model_copy(update={"max_running": max_running})
        app = create_app(settings, engines)
        transport = httpx.ASGITransport(app=app)
        async with (
            _telling(app.state.runners, on_loading),
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://embedded", timeout=timeout) as http,
        ):
            await app.state.gateway.cluster.wait_until_ready()
            yield Client(http)


@contextlib.asynccontextmanager
async def _telling(runners: Mapping[str, Any], on_loading: OnLoading | None) -> AsyncIterator[None]:
    """Tell of the engines as they load."""

    async def tell(on_loading: OnLoading) -> None:
        loading = True
        while loading:
            loading = any(runner.state == "starting" for runner in runners.values())
            on_loading([Loading(stage, runner.engine.name, runner.setup_s) for stage, runner in runners.items()])
            await asyncio.sleep(POLL_S)

    if on_loading is None:
        yield
        return
    task = asyncio.create_task(tell(on_loading))
    try:
        yield
    finally:
        task.cancel()


def _pictures(photo: bytes, garment: bytes | Mapping[str, bytes]) -> dict[str, bytes]:
    """The files of a form. garment: of several, by category."""
    if not isinstance(garment, Mapping):
        return {"photo": photo, "garment": garment}
    return {"photo": photo} | {f"garments.{category}": data for category, data in garment.items()}


def _chosen(
    options: Mapping[str, Mapping[str, Any]] | None, engines: Mapping[str, str] | None, commercial: bool
) -> dict[str, str]:
    """The fields of a form that say so."""
    fields = {name: json.dumps(chosen) for name, chosen in (("options", options), ("engines", engines)) if chosen}
    return fields | ({"commercial": "true"} if commercial else {})


def _checked(answer: "httpx.Response", key: str | None = None) -> dict[str, Any]:
    """Its document, which has this key. Raises TryonFailed for a problem, and where something else answers than a gateway."""
    _checked_status(answer)
    document = _object(answer)
    if document is None or (key is not None and key not in document):
        title = f"What answers at {answer.url.copy_with(path='/', query=None)} is no gateway. Is the address right?"
        raise TryonFailed({"title": title, "status": answer.status_code})
    return document


def _checked_status(answer: "httpx.Response") -> None:
    if not answer.is_success:
        otherwise = {"title": f"The gateway answered {answer.status_code}", "status": answer.status_code}
        raise TryonFailed(_object(answer) or otherwise)


def _object(answer: "httpx.Response") -> dict[str, Any] | None:
    """None where the answer is not JSON, or no object."""
    try:
        document = answer.json()
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None
