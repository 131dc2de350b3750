"""The body of a request that may bring pictures: a form, with files or without, or a JSON object.

FastAPI reads either the one or the other, takes no picture from a part without a file name, and tells of what it does not
take in Python's words.
"""

import base64
import binascii
import contextlib
import io
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qsl

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import PlainValidator, ValidationError, WithJsonSchema
from pydantic_core import PydanticCustomError
from python_multipart.multipart import parse_options_header
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from gateway.errors import BadRequest
from gateway.http.names import Fields, quoted
from gateway.outgoing.fetching import PictureUrl

MAX_FIELDS = 32
"""In one request; no more are read."""

MAX_TEXT = 4096
"""Bytes of a field that is no picture."""

SMALLEST = 20
"""Bytes that any picture has. A word may be base64 as well."""

MULTIPART, URLENCODED, JSON = "multipart/form-data", "application/x-www-form-urlencoded", "application/json"

T = TypeVar("T", bound=Fields)


def picture_from(value: Any) -> UploadFile | PictureUrl:
    """The file of a picture's field, or what its text says: base64, a data: URL, or its address. Raises PydanticCustomError."""
    if isinstance(value, UploadFile):
        return value
    if not isinstance(value, str):
        raise _no_picture("in JSON it is text.")
    text = value.strip()
    if re.match(r"(?i)https?:", text):
        return PictureUrl(text)
    if re.match(r"(?i)(?!data:)[a-z][a-z0-9+.-]+:", text):
        raise _no_picture(f"{quoted(text)} is no address to fetch it from: that begins with https://.")
    if text[:5].lower() == "data:":
        head, comma, text = text.partition(",")
        if not comma or not head.lower().endswith(";base64"):
            raise _no_picture("of data: URLs only those in base64 are taken (data:image/jpeg;base64,…).")
    # A form that was not quoted as it should turns each plus into a space. Line breaks mean nothing.
    packed = re.sub(r"[\r\n\t]", "", text.strip()).replace(" ", "+").replace("-", "+").replace("_", "/").rstrip("=")
    try:
        data = base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if len(data) < SMALLEST:
        raise _no_picture(f"the text {quoted(text)} came in its place.")
    return UploadFile(io.BytesIO(data), size=len(data))


def artifact_from(value: Any) -> UploadFile | PictureUrl:
    """The same of an artifact, which may be a JSON object too. Raises PydanticCustomError."""
    if isinstance(value, dict):
        value = json.dumps(value)
    if isinstance(value, str) and value.lstrip()[:1] == "{":
        data = value.encode("utf-8", "replace")
        return UploadFile(io.BytesIO(data), size=len(data))
    return picture_from(value)


def _no_picture(said: str) -> PydanticCustomError:
    return PydanticCustomError("no_picture", "{said}", {"said": said})


PictureFile = Annotated[
    UploadFile | PictureUrl | None, PlainValidator(picture_from), WithJsonSchema({"type": "string"})
]
"""Of Fields: a picture that is sent along."""

ArtifactFile = Annotated[
    UploadFile | PictureUrl,
    PlainValidator(artifact_from),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "object"}]}),
]
"""Of the Fields' `artifacts`: one that is sent along."""

PARTED = {"artifacts": "parse", "garments": "upper"}
"""Fields that have pictures of their own, each of which is a part of a form: `artifacts.parse`, `garments.upper`."""


def body(model: type[T]) -> Callable[[Request], AsyncIterator[T]]:
    """A dependency that reads the request's body. Raises BadRequest, RequestValidationError, UploadTooLarge."""

    async def read(request: Request) -> AsyncIterator[T]:
        fields = await _read(request, model)
        try:
            yield _checked(model, fields)
        finally:
            for value in _all_of(fields):
                if isinstance(value, UploadFile):
                    await value.close()

    return read


def described(model: type[Fields]) -> dict[str, Any]:
    """The `openapi_extra` of a route whose body is read here."""
    schema = _without_references(model.model_json_schema())
    files = _pictures(model)

    def with_pictures(said: dict[str, Any]) -> dict[str, Any]:
        properties = {n: {**v, **said} if n in files else v for n, v in schema["properties"].items()}
        return schema | {"properties": properties}

    file = {"contentMediaType": "application/octet-stream", "description": "The file: JPEG, PNG, WebP, AVIF or HEIC."}
    text = {"contentEncoding": "base64", "description": "The file in base64, as a data: URL, or its https address."}
    form, json_ = with_pictures(file), with_pictures(text)
    parts = {rf"^{name}\.\w+$": file for name in PARTED if form["properties"].pop(name, None)}
    if parts:
        form["patternProperties"] = parts
    return {"requestBody": {"required": True, "content": {MULTIPART: {"schema": form}, JSON: {"schema": json_}}}}


def _without_references(schema: dict[str, Any]) -> dict[str, Any]:
    """With each definition in the places that refer to it, which are addresses in a document of its own."""
    definitions = schema.pop("$defs", {})

    def resolved(part: Any) -> Any:
        if isinstance(part, list):
            return [resolved(each) for each in part]
        if not isinstance(part, dict):
            return part
        if "$ref" in part:
            return resolved(definitions[part["$ref"].rpartition("/")[2]])
        return {name: resolved(each) for name, each in part.items()}

    found: dict[str, Any] = resolved(schema)
    return found


def _checked(model: type[T], fields: dict[str, Any]) -> T:
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        listed = error.errors(include_url=False, include_input=False)
        raise RequestValidationError([e | {"loc": ("body", *e["loc"])} for e in listed]) from None


def _pictures(model: type[Fields]) -> list[str]:
    """The names of its fields that are pictures."""
    return [
        name for name, field in model.model_fields.items() if any(isinstance(m, PlainValidator) for m in field.metadata)
    ]


async def _read(request: Request, model: type[Fields]) -> dict[str, Any]:
    """The fields that were sent: text and files of a form, or JSON values. What is empty counts as left out."""
    header = request.headers.get("content-type")
    kind, parameters = parse_options_header(header)
    media_type = kind.decode("latin-1").strip()
    try:
        if media_type == MULTIPART:
            if not parameters.get(b"boundary"):
                raise BadRequest(
                    "The Content-Type multipart/form-data lacks its boundary, by which the parts are told apart. "
                    "Let your HTTP client write this header instead of setting it."
                )
            return await _multipart(request, model)
        if media_type == URLENCODED:
            return _urlencoded(await request.body(), model)
        if media_type == JSON or media_type.endswith("+json"):
            return json_object(await request.body())
    except BadRequest:
        await _to_the_end(request)
        raise
    await _to_the_end(request)
    came = f"This came as {quoted(header)}" if header else "This came without a Content-Type"
    raise BadRequest(f"{came}. {_how(model)}")


async def _to_the_end(request: Request) -> None:
    """Read the rest of the body: a connection that is closed on a client which still writes may lose it the answer."""
    with contextlib.suppress(RuntimeError, ClientDisconnect):  # RuntimeError: it is at its end
        async for _ in request.stream():
            pass


def _how(model: type[Fields]) -> str:
    files = " ".join(f"-F {name}=@FILE" for name in _pictures(model))
    return f"Send multipart/form-data, as `curl {files}` does, or application/json."


class _Parser(MultiPartParser):
    """Takes every part as a file, whose bytes are kept as they came: many clients name no file."""

    def on_headers_finished(self) -> None:
        part = self._current_part
        if b"filename" not in parse_options_header(part.content_disposition)[1]:
            part.content_disposition = (part.content_disposition or b"") + b'; filename=""'
        super().on_headers_finished()


async def _multipart(request: Request, model: type[Fields]) -> dict[str, Any]:
    # No part counts as a field but those whose header is too broken for us.
    try:
        async with contextlib.aclosing(request.stream()) as stream:
            form = await _Parser(request.headers, stream, max_files=MAX_FIELDS, max_fields=0).parse()
    except MultiPartException as error:
        if "Too many files" in error.message:
            raise BadRequest(f"A request has {MAX_FIELDS} parts at most.") from None
        raise BadRequest(
            'The multipart body is malformed: each part needs `Content-Disposition: form-data; name="…"`, and the body '
            "the boundary of its Content-Type. Let your HTTP client write it."
        ) from None
    fields: dict[str, Any] = {}
    try:
        for name, part in form.multi_items():
            assert isinstance(part, UploadFile)
            where, own_name = _place(fields, name, model)
            if part.size or part.filename:
                where[own_name] = await _value(part, name, model, where is not fields)
    except BaseException:
        fields.clear()
        raise
    finally:
        kept = [value for value in _all_of(fields) if isinstance(value, UploadFile)]
        for _, part in form.multi_items():
            if isinstance(part, UploadFile) and not any(part is value for value in kept):
                await part.close()
    return fields


async def _value(part: UploadFile, name: str, model: type[Fields], is_artifact: bool) -> str | UploadFile | None:
    if name in _pictures(model) or is_artifact:
        return part if part.filename else await _text_or_file(part)
    return await _text(name, part) if name in model.model_fields else None  # to be refused by its name


def _all_of(fields: Mapping[str, Any]) -> list[Any]:
    """The values, those within PARTED too."""
    parted = [given for name in PARTED if isinstance(given := fields.get(name), dict)]
    return [*fields.values(), *(value for given in parted for value in given.values())]


async def _text_or_file(part: UploadFile) -> str | UploadFile:
    """A part without a file name may be either. No picture begins with nothing but printable ASCII."""
    head = await part.read(64)
    await part.seek(0)
    if (
        head.strip().isascii()
        and head.decode("ascii", "replace").translate({10: None, 13: None, 9: None}).isprintable()
    ):
        return (await part.read()).decode("ascii", "replace")
    return part


async def _text(name: str, part: UploadFile) -> str:
    data = await part.read(MAX_TEXT + 1)
    if len(data) > MAX_TEXT:
        raise BadRequest(f"{quoted(name)} is longer than any text that is taken here.")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise BadRequest(f"{quoted(name)} is no text in UTF-8.") from None


def _urlencoded(data: bytes, model: type[Fields]) -> dict[str, Any]:
    if data.lstrip()[:1] == b"{":
        raise BadRequest(f"This looks like JSON, but came as {URLENCODED}. Send it with `Content-Type: {JSON}`.")
    if not data.isascii():
        raise BadRequest(f"This came as {URLENCODED}, but is no such form. {_how(model)}")
    fields: dict[str, Any] = {}
    try:
        pairs = parse_qsl(data.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        raise BadRequest(f"A request has {MAX_FIELDS} fields at most.") from None
    for name, value in pairs:
        where, own_name = _place(fields, name, model)
        if value:
            where[own_name] = value
    return fields


def _place(fields: dict[str, Any], name: str, model: type[Fields]) -> tuple[dict[str, Any], str]:
    """Where a part of a form belongs, and under which name: `artifacts.parse` as `parse` among the artifacts."""
    where, own_name = fields, name
    field, dot, member = name.partition(".")
    if field in PARTED and field in model.model_fields:
        if not dot:
            raise BadRequest(
                f"In a form each of the {field} is a part of its own: {field}.{PARTED[field]}, for instance."
            )
        where, own_name = fields.setdefault(field, {}), member
    if own_name in where:
        raise BadRequest(f"{quoted(name)} was sent twice; send each field once.")
    return where, own_name


def json_object(data: bytes) -> dict[str, Any]:
    """A JSON object without its nulls. Raises BadRequest."""
    # Small text may stand for many objects: counted before they are made.
    if sum(data.count(sign) for sign in (b",", b"[", b"{")) > 1000:
        raise BadRequest("The JSON has more in it than any request here.")
    try:
        value = json.loads(data)
    except json.JSONDecodeError as error:
        raise BadRequest(f"The body is no JSON: {error.msg} in line {error.lineno}, column {error.colno}.") from None
    except (ValueError, RecursionError):  # no UTF-8, numbers of thousands of digits, brackets without end
        raise BadRequest("The body is no JSON that can be read.") from None
    if not isinstance(value, dict):
        raise BadRequest('The body must be a JSON object: {"photo_id": "sha256:…"}, for instance.')
    return {name: given for name, given in value.items() if given is not None}
