"""The `howsfit` command."""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.markup import escape
from rich.status import Status
from rich.table import Table

from gateway.errors import StartupError
from howsfit import comparison, files
from howsfit.client import ENDED, Client, Loading, Progress, TryonFailed, connect
from howsfit.comparison import named_values
from howsfit.dataset.commands import app as dataset_app
from howsfit.dataset.job_commands import tryon_set
from howsfit.evaluation.commands import evaluate
from howsfit.train.commands import app as train_app
from howsfit.weights.commands import app as weights_app
from howsfit.weights.errors import WeightsError
from stagekit.errors import StageError
from stagekit.kinds import KINDS

app = typer.Typer(
    help="Dress the person in one photograph in the garment of another.", no_args_is_help=True, add_completion=False
)
keys_app = typer.Typer(help="Make, list and revoke the API keys of a gateway.", no_args_is_help=True)
app.add_typer(keys_app, name="keys")
app.add_typer(weights_app, name="weights")
app.add_typer(dataset_app, name="dataset")
app.add_typer(train_app, name="train")
app.command("tryon-set")(tryon_set)
app.command()(evaluate)
out = Console(width=None if sys.stdout.isatty() else 200)  # tables in a pipe are not folded at 80 columns
err = Console(stderr=True)

Url = Annotated[
    str | None,
    typer.Option("--url", envvar="HOWSFIT_URL", help="Gateway to use; without it everything runs in this process."),
]
ApiKey = Annotated[
    str | None,
    typer.Option("--key", envvar="HOWSFIT_KEY", show_envvar=True, help="API key, for a gateway that asks for one."),
]


Chosen = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="STAGE.OPTION=VALUE", help="An option of an engine, of those that `howsfit stages` lists."
    ),
]


Person = Annotated[Path, typer.Argument(help="Photo of the person: JPEG, PNG, WebP, AVIF or HEIC.")]
Cloth = Annotated[Path, typer.Argument(help="Picture of the garment.")]
Engines = Annotated[
    list[str] | None,
    typer.Option("--engine", metavar="STAGE=ENGINE", help="Another engine of a stage: `howsfit stages` lists them."),
]
Lower = Annotated[
    Path | None, typer.Option("--lower", help="Trousers or a skirt, worn together with CLOTH, which then is a top.")
]
Dress = Annotated[Path | None, typer.Option("--dress", help="A dress, over which CLOTH is worn, which then is a top.")]
Commercial = Annotated[
    bool, typer.Option("--commercial", help="Refuse what may not be used commercially by its licence.")
]


def main() -> None:
    """Entry point: errors that a user can mend are told in a sentence, without a traceback."""
    _silence_native_libraries()
    try:
        app()
    except TryonFailed as failure:
        stage = failure.problem.get("stage")
        _die(f"{stage}: {failure}" if stage else str(failure))
    except (StartupError, StageError, WeightsError, ValueError) as error:
        _die(str(error))
    except OSError as error:
        _die(str(error))
    except Exception as error:
        if not _out_of_reach(error):
            raise
        _die(f"The gateway cannot be reached ({error}). Is it up, and is --url right?")


def _out_of_reach(error: Exception) -> bool:
    import httpx  # here, since a command that is refused needs no network

    return isinstance(error, httpx.TransportError)


def _silence_native_libraries() -> None:
    """MediaPipe's C++ writes notes to file descriptor 2 at any log level; Python's own stderr goes on as before."""
    sys.stderr.flush()
    own = os.dup(2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    sys.stderr = os.fdopen(own, "w", buffering=1)


def _say(text: str) -> None:
    """On one line as it stands: a path may hold what looks like markup."""
    out.print(text, highlight=False, markup=False, soft_wrap=True)


def _die(message: str) -> None:
    err.print(f"[red]howsfit:[/red] {escape(message)}", highlight=False)
    raise SystemExit(1)


def _further(lower: Path | None, dress: Path | None) -> dict[str, Path]:
    """Category -> picture, of what is worn together with a top."""
    return {category: path for category, path in (("lower", lower), ("dress", dress)) if path is not None}


@app.command("try")
def try_(
    person: Person,
    cloth: Cloth,
    output: Annotated[
        str, typer.Option("--output", "-o", help="Where the picture goes: a .png, .jpg or .webp file, or a folder.")
    ] = "tryon.png",
    keep: Annotated[
        Path | None, typer.Option(help="Add every artifact to this folder, in the VITON-HD layout.")
    ] = None,
    json_file: Annotated[str | None, typer.Option("--json", help="Write the try-on document here.")] = None,
    in_photo: Annotated[bool, typer.Option("--in-photo", help="As large as the photo instead of 768 x 1024.")] = False,
    chosen: Chosen = None,
    given: Annotated[
        list[str] | None,
        typer.Option(
            "--with", metavar="ARTIFACT=FILE", help="An artifact of your own, whose stage is not run: parse=parse.png."
        ),
    ] = None,
    engine: Engines = None,
    commercial: Commercial = False,
    lower: Lower = None,
    dress: Dress = None,
    samples: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=8,
            help="So many pictures, each with another seed, of an engine that has one: tryon-1.png, tryon-2.png.",
        ),
    ] = None,
    forget: Annotated[
        Literal["fetched"] | None, typer.Option("--forget", help="The gateway forgets it once its picture is here.")
    ] = None,
    retention: Annotated[
        float | None, typer.Option("--retention", metavar="SECONDS", help="So long the gateway keeps it at most.")
    ] = None,
    url: Url = None,
    key: ApiKey = None,
) -> None:
    """Dress PERSON in CLOTH."""
    options = comparison.by_stage(named_values(chosen))
    engines = named_values(engine, "--engine")
    # All that can be refused is refused before any engine is loaded, which takes seconds.
    from howsfit import inputs

    picture = files.target(output, "tryon.png")
    format_ = files.picture_format(picture)
    pictures = (
        [picture] if samples is None else [picture.with_stem(f"{picture.stem}-{n}") for n in range(1, samples + 1)]
    )
    document = None if json_file is None else files.target(json_file, "tryon.json")
    further = _further(lower, dress)
    files.check(
        (person, cloth, *further.values()), [*pictures, *([document] if document else [])], [keep] if keep else []
    )
    try:
        photo, photo_header = inputs.read_picture(person, "photo")
        garment, _ = inputs.read_picture(cloth, "garment")
        others = {category: inputs.read_picture(path, "garment")[0] for category, path in further.items()}
        if in_photo:
            files.check_picture_size(picture, photo_header.size)
        if url is None:
            inputs.check_pictures({person: photo, cloth: garment, **{further[name]: others[name] for name in others}})
        artifacts = inputs.read_given(given or [])
    except StageError as error:
        _write_json(document, error.problem())
        raise

    garments: bytes | dict[str, bytes] = {"upper": garment, **others} if others else garment

    def ask(client: Client, progress: Progress) -> Awaitable[dict[str, Any]]:
        return client.try_on(
            photo, garments, progress, options, artifacts, engines, commercial, retention, forget, samples
        )

    connecting = partial(connect, url, key, engines=engines)
    asyncio.run(_try(ask, connecting, pictures, format_, keep, document, "tryon_photo" if in_photo else "tryon"))


async def _try(
    dress: Callable[[Client, Progress], Awaitable[dict[str, Any]]],
    connecting: Callable[..., AbstractAsyncContextManager[Client]],
    outputs: list[Path],
    format_: str,
    keep: Path | None,
    json_file: Path | None,
    wanted: str,
) -> None:
    progress = ProgressLines()
    with err.status("Starting") as status:
        async with connecting(on_loading=LoadingLines(status)) as client:
            status.update("Dressing")
            try:
                document = await dress(client, progress)
            except TryonFailed as failure:
                _write_json(json_file, failure.document or failure.problem)
                raise
            if keep is not None:  # first: with --forget nothing is there any more after the picture
                from howsfit import kept

                await asyncio.to_thread(kept.keep, await client.dataset(document), keep)
            for sample, output in enumerate(outputs, 1):
                made = await client.artifact(document, wanted, sample)
                files.write(output, await asyncio.to_thread(files.picture_as, format_, made))
    _write_json(json_file, document)
    for warning in document["warnings"]:
        err.print(f"[yellow]{warning['stage']}:[/yellow] {escape(warning['detail'])}", highlight=False)
    _say(f"{' '.join(map(str, outputs))}  ({document['metrics']['total_seconds']:.2f} s)")


@app.command()
def compare(
    person: Person,
    cloth: Cloth,
    generators: Annotated[
        str | None, typer.Option("--tryon", metavar="ENGINE,ENGINE...", help="Generators to compare.")
    ] = None,
    output: Annotated[
        str, typer.Option("--output", "-o", help="Where the sheet goes: a .png, .jpg or .webp file, or a folder.")
    ] = "comparison.png",
    chosen: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="STAGE.OPTION=VALUE,...",
            help="An option for all, or with commas between, its values to compare.",
        ),
    ] = None,
    json_file: Annotated[str | None, typer.Option("--json", help="Write the comparison's document here.")] = None,
    language: Annotated[Literal["en", "ko"], typer.Option("--language", help="Of the sheet's words.")] = "en",
    engine: Engines = None,
    commercial: Commercial = False,
    lower: Lower = None,
    dress: Dress = None,
    url: Url = None,
    key: ApiKey = None,
) -> None:
    """Dress PERSON in CLOTH with several engines or options: a table, and a contact sheet."""
    options = named_values(chosen, read=comparison.values_of)
    variants = comparison.variants_of(generators, options)
    shared = comparison.by_stage({name: values[0] for name, values in options.items() if len(values) == 1})
    engines = named_values(engine, "--engine")
    from howsfit import inputs

    picture = files.target(output, "comparison.png")
    format_ = files.picture_format(picture)
    document = None if json_file is None else files.target(json_file, "comparison.json")
    further = _further(lower, dress)
    files.check((person, cloth, *further.values()), [picture, *([document] if document else [])])
    photo, _ = inputs.read_picture(person, "photo")
    garment, _ = inputs.read_picture(cloth, "garment")
    others = {category: inputs.read_picture(path, "garment")[0] for category, path in further.items()}
    if url is None:
        inputs.check_pictures({person: photo, cloth: garment, **{further[name]: others[name] for name in others}})

    garments: bytes | dict[str, bytes] = {"upper": garment, **others} if others else garment

    def ask(client: Client, progress: Progress) -> Awaitable[dict[str, Any]]:
        return client.compare(photo, garments, variants, progress, shared, engines, commercial)

    named = dict.fromkeys(each["engines"]["tryon"] for each in variants if "engines" in each)
    mounted = {stage: [name] for stage, name in engines.items()} | ({"tryon": list(named)} if named else {})
    # One after the other, so that none has to share the machine while its seconds are counted.
    connecting = partial(connect, url, key, engines=mounted, max_running=1)
    asyncio.run(_compare(ask, connecting, picture, format_, document, language))


async def _compare(
    ask: Callable[[Client, Progress], Awaitable[dict[str, Any]]],
    connecting: Callable[..., AbstractAsyncContextManager[Client]],
    output: Path,
    format_: str,
    json_file: Path | None,
    language: str,
) -> None:
    with err.status("Starting") as status:
        async with connecting(on_loading=LoadingLines(status)) as client:
            status.update("Comparing")
            try:
                document = await ask(client, VariantLines(status))
            except TryonFailed as refusal:
                _write_json(json_file, refusal.problem)
                raise
            sheet = await client.sheet(document, language)
            files.write(output, await asyncio.to_thread(files.picture_as, format_, sheet))
    _write_json(json_file, document)
    out.print(comparison.table_of(document))
    failed = [each for each in document["variants"] if each["error"]]
    for each in failed:
        said = f"[red]{escape(each['label'])}:[/red] {escape(each['error'].get('detail', each['error']['title']))}"
        err.print(said, highlight=False)
    _say(str(output))
    if len(failed) == len(document["variants"]):
        raise SystemExit(1)


class VariantLines:
    """Prints a line as each variant of a comparison ends, and says behind the spinner how many are left."""

    def __init__(self, status: Status) -> None:
        self._status = status
        self._told: set[str] = set()

    def __call__(self, document: dict[str, Any]) -> None:
        for each in document["variants"]:
            if each["status"] in ENDED and each["tryon_id"] not in self._told:
                self._told.add(each["tryon_id"])
                sign = "[green]done[/green]" if each["status"] == "succeeded" else f"[red]{each['status']}[/red]"
                seconds = "" if each["total_seconds"] is None else f"{each['total_seconds']:6.2f} s"
                err.print(f"{sign} {escape(each['label']):<24} {seconds}", highlight=False)
        self._status.update(f"Comparing: {len(self._told)} of {len(document['variants'])} done")


class LoadingLines:
    """Says which engines are being loaded: behind the spinner, or where there is no terminal a line for each."""

    def __init__(self, status: Status) -> None:
        self._status = status
        self._told: set[str] = set()

    def __call__(self, engines: list[Loading]) -> None:
        left = [f"{each.stage} ({each.engine})" for each in engines if each.seconds is None]
        if err.is_terminal and left:
            self._status.update(f"Loading engine {len(engines) - len(left) + 1} of {len(engines)}: {', '.join(left)}")
        elif not err.is_terminal:
            for each in engines:
                if each.seconds is not None and each.stage not in self._told:
                    self._told.add(each.stage)
                    err.print(f"loaded {each.stage:<12} {each.engine:<10} {each.seconds:6.2f} s", highlight=False)


class ProgressLines:
    """Prints a line as each stage ends."""

    def __init__(self) -> None:
        self._told: set[tuple[str, str]] = set()

    def __call__(self, document: dict[str, Any]) -> None:
        # Of several garments the first one's stages are among the document's own.
        further = [(each["category"], stage) for each in document["garments"][1:] for stage in each["stages"]]
        for category, stage in [*(("", stage) for stage in document["stages"]), *further]:
            ended = stage["status"] in ("succeeded", "failed")
            if ended and (category, stage["stage"]) not in self._told:
                self._told.add((category, stage["stage"]))
                sign = "[green]done[/green]" if stage["status"] == "succeeded" else "[red]refused[/red]"
                seconds = "" if stage["seconds"] is None else f"{stage['seconds']:6.2f} s"
                note = f" [dim]{category}[/dim]" if category else ""
                note += " [dim]reused[/dim]" if stage["reused"] else ""
                err.print(f"{sign} {stage['stage']:<12} {stage['engine'] or '':<10} {seconds}{note}", highlight=False)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8080,
) -> None:
    """Serve the gateway and all stages in one process."""
    import uvicorn

    from howsfit.embedded import create_app
    from stagekit import logs
    from stagekit.settings import read_settings

    settings = read_settings()
    logs.set_up(settings.log_level, settings.log_format)
    err.print(
        f"http://{host}:{port}/ shows the web app, /readyz whether all engines are loaded, /debug what it does, /docs the API."
    )
    # The gateway looks at the headers of proxies itself: it has to know who really asks.
    uvicorn.run(create_app(), host=host, port=port, access_log=False, proxy_headers=False, log_config=None)


@app.command()
def run(
    stage: Annotated[str, typer.Argument(help="Name of the stage, e.g. pose.")],
    artifacts: Annotated[list[str], typer.Argument(metavar="NAME=FILE...", help="Its inputs.")],
    folder: Annotated[Path, typer.Option("--output", "-o", help="Folder for its outputs.")] = Path("."),
    engine: Annotated[str | None, typer.Option(help="Engine to use instead of the configured one.")] = None,
    chosen: Annotated[
        list[str] | None, typer.Option("--set", metavar="OPTION=VALUE", help="An option of the engine.")
    ] = None,
) -> None:
    """Run one STAGE on artifacts from files, in this process."""
    asyncio.run(_run(stage, artifacts, folder, engine, named_values(chosen)))


async def _run(name: str, artifacts: list[str], folder: Path, engine: str | None, options: dict[str, Any]) -> None:
    from howsfit.inputs import read_artifacts
    from howsfit.stages import find_stage
    from stagekit.options import check_options
    from stagekit.stage import engine_inputs, make_engine

    declared = find_stage(name)
    targets = {artifact: folder / (artifact + _ending(kind)) for artifact, kind in declared.outputs.items()}
    given = [Path(each.partition("=")[2]) for each in artifacts]
    files.check(given, targets.values(), [folder])
    chosen = make_engine(declared, engine)
    options = check_options(chosen.option_schema(), options, chosen.name)
    inputs = read_artifacts(declared, artifacts)
    needed = engine_inputs(declared, chosen)
    if missing := [artifact for artifact in needed if artifact not in inputs]:
        raise ValueError(f"Engine {chosen.name} also needs {', '.join(missing)}: add {missing[0]}=FILE.")

    from gateway.cluster.stages import StageClient
    from gateway.errors import StageRefused
    from stagekit.app import create_app

    stage_app = create_app(declared, chosen)
    runner = stage_app.state.runner
    if not err.is_terminal:
        err.print(f"loading {chosen.name}", highlight=False)
    with err.status(f"Loading {chosen.name}"):
        await asyncio.to_thread(runner.load)
    client = StageClient(name, f"inproc://{name}", {name: stage_app}, timeout_s=3600)
    try:
        result = await client.run(inputs, "0" * 31 + "1", options)
    except StageRefused as refusal:
        raise TryonFailed(refusal.problem) from None
    finally:
        await client.close()
    for warning in result.warnings:
        err.print(f"[yellow]{warning['code']}:[/yellow] {escape(warning['detail'])}", highlight=False)
    for artifact, part in result.outputs.items():
        files.write(targets[artifact], part.data)
        _say(str(targets[artifact]))


@app.command()
def stages(
    url: Url = None,
    key: ApiKey = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the documents as JSON.")] = False,
) -> None:
    """List the stages in running order, with their engines and licences."""

    async def ask() -> list[dict[str, Any]]:
        with err.status("Asking the stages"):
            async with connect(url, key, engines=None) as client:
                return await client.stages()

    found = asyncio.run(ask())
    if as_json:
        print(json.dumps(found, indent=2))
        return
    table = Table("stage", "engine", "takes", "gives", "waits for", "runtime", "licence")
    for stage in found:
        runtime = ", ".join(f"{name} {version}" for name, version in stage["runtime"].items())
        lists = (", ".join(stage[key]) for key in ("inputs", "outputs", "needs"))
        mark = " *" if stage["stand_in"] else ""
        table.add_row(stage["stage"], f"{stage['engine']} {stage['version']}{mark}", *lists, runtime, stage["licence"])
    out.print(table)
    out.print("* a default engine that stands in for a research model")
    for stage in found:
        for other in stage["engines"][1:]:
            ready = "ready" if other["health"]["ready"] else other["health"].get("code", "not ready")
            said = f"{other['licence']}; commercial use: {other['commercial']}; {ready}"
            out.print(f"--engine {stage['stage']}={other['engine']}  {escape(said)}", highlight=False)
    for stage in found:
        for name, option in stage["option_schema"].get("properties", {}).items():
            bounds = f"{option['minimum']} to {option['maximum']}" if "minimum" in option else option["type"]
            values = option.get("enum", [bounds])
            said = f"{option['description']} ({', '.join(map(str, values))}; default {option['default']})"
            out.print(f"--set {stage['stage']}.{name}=…  {escape(said)}", highlight=False)


@app.command()
def doctor(url: Url = None, key: ApiKey = None) -> None:
    """Check this machine and every stage, and say what to do about what is wrong."""
    from howsfit.doctor import examine

    findings = asyncio.run(examine(url, key))
    table = Table("what", "found", "")
    for finding in findings:
        told = f"[dim]{finding.offer}[/dim]" if finding.offer else "[green]ok[/green]"
        table.add_row(finding.what, finding.found, told if finding.good else f"[red]{finding.advice}[/red]")
    out.print(table)
    if not all(finding.good for finding in findings):
        raise SystemExit(1)


GatewayUrl = Annotated[str, typer.Option("--url", envvar="HOWSFIT_URL", help="Gateway whose keys they are.")]
AdminKey = Annotated[
    str, typer.Option("--key", envvar="HOWSFIT_KEY", help="Its HOWSFIT_ADMIN_KEY, or another key with the scope admin.")
]


@keys_app.command("create")
def create_key(
    owner: Annotated[str, typer.Argument(help="Whose it is; all keys of an owner see the same try-ons.")],
    url: GatewayUrl,
    key: AdminKey,
    name: Annotated[str, typer.Option(help="To tell the owner's keys apart.")] = "",
    scope: Annotated[list[str] | None, typer.Option(help="read, write or admin; several: read and write.")] = None,
    rate_per_minute: Annotated[int | None, typer.Option(help="Requests per minute; 0: no bound.")] = None,
    max_jobs: Annotated[int | None, typer.Option(help="Try-ons under way at a time; 0: no bound.")] = None,
    days: Annotated[float | None, typer.Option(min=0, help="After which it expires.")] = None,
) -> None:
    """Make a key for OWNER and print it; nobody can show it a second time."""
    limits = {"rate_per_minute": rate_per_minute, "max_jobs": max_jobs, "scopes": scope}
    options = {"name": name} | {option: value for option, value in limits.items() if value is not None}
    if days is not None:
        options["expires_at"] = (datetime.now(UTC) + timedelta(days=days)).isoformat()

    async def create() -> dict[str, Any]:
        async with connect(url, key) as client:
            return await client.create_key(owner, **options)

    print(asyncio.run(create())["key"])


@keys_app.command("list")
def list_keys(url: GatewayUrl, key: AdminKey) -> None:
    """List all keys, without their secrets."""

    async def ask() -> list[dict[str, Any]]:
        async with connect(url, key) as client:
            return await client.keys()

    table = Table("id", "owner", "name", "scopes", "per minute", "try-ons", "created", "last used", "state")
    for each in asyncio.run(ask()):
        expired = each["expires_at"] and datetime.fromisoformat(each["expires_at"]) <= datetime.now(UTC)
        until = f"until {each['expires_at'][:16]}" if each["expires_at"] else "valid"
        table.add_row(
            each["id"],
            each["owner"],
            each["name"],
            " ".join(each["scopes"]),
            *(str(each[limit] or "no bound") for limit in ("rate_per_minute", "max_jobs")),
            *((each[time] or "never")[:16] for time in ("created_at", "last_used_at")),
            "revoked" if each["revoked"] else "expired" if expired else until,
        )
    out.print(table)


@keys_app.command("revoke")
def revoke_key(key_id: Annotated[str, typer.Argument(metavar="ID")], url: GatewayUrl, key: AdminKey) -> None:
    """Revoke the key ID: it opens nothing from now on."""

    async def revoke() -> None:
        async with connect(url, key) as client:
            await client.revoke_key(key_id)

    asyncio.run(revoke())


@app.command("export")
def export_(
    model: Annotated[str, typer.Argument(help="cihp_pgn, graphonomy, posenet or movenet.")],
    weights: Annotated[
        Path | None,
        typer.Option(envvar="HOWSFIT_WEIGHTS_DIR", help="Folder that holds a folder of weights for each engine."),
    ] = None,
) -> None:
    """Write MODEL as ONNX: engine MODEL_onnx then does the same on today's Python; posenet and movenet have no other form here.

    Needs Docker and a clone.
    """
    from howsfit.export import export
    from stagekit.weights import all_weights

    with err.status(f"Exporting {model} in its container"):
        target = export(model, weights or Path(all_weights()))
    _say(str(target))


def _ending(kind: str) -> str:
    return ".json" if KINDS[kind].document else ".png"


def _write_json(path: Path | None, document: dict[str, Any]) -> None:
    if path is not None:
        files.write(path, json.dumps(document, indent=2).encode())


if __name__ == "__main__":
    main()
