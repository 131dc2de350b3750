"""What a source of photos is like: a TOML file, checked. docs/datasets.md lists its keys."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from howsfit.dataset.layout import OF_CLOTHS, PLACES
from stagekit.formats import BODY_25_JOINTS, CIHP, CIHP_LABELS

PACKAGED = Path(__file__).parent / "sources"

Part = Literal["train", "test"]
Category = Literal["upper", "lower", "dress"]
Size = tuple[Annotated[int, Field(gt=0)], Annotated[int, Field(gt=0)]]


class DescriptionError(ValueError):
    """A description of a source is not one. The message names the file and the key, or the line."""


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"'{text}' is no regular expression: {error}") from None
    return text


def _template(text: str) -> str:
    fields = [name for _, name, _, _ in Formatter().parse(text) if name is not None]
    if not all(field.isidentifier() for field in fields):
        raise ValueError(f"'{text}' may hold fields of a record in braces, like {{name}}, and nothing else there")
    return text


Pattern = Annotated[str, AfterValidator(_pattern)]
"""A regular expression."""

Template = Annotated[str, AfterValidator(_template)]
"""A text with fields of a record in braces."""

Names = Annotated[tuple[str, ...], Field(min_length=1)]
"""Names of files or folders, upper and lower case alike; `*` stands for anything."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Scope(_Table):
    """What the name of a folder says of all below it."""

    folder: Names
    part: Part | None = None
    category: Category | None = None


class Records(_Table):
    """Where a source says which files belong together."""

    format: Literal["json", "csv", "columns", "names"]
    """json: a list of objects; csv; columns: words with blanks between; names: the photos' own names say it."""

    files: tuple[str, ...] = ()
    at: str = ""
    """Key of the list in a JSON file; none: the file is the list."""
    columns: tuple[str, ...] = ()
    pattern: Pattern = ""
    """With `names`: what the name of a photo has to be like; its named groups are the fields."""
    part: Part | None = None

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if self.format == "names" and not self.pattern:
            raise ValueError("format 'names' needs a 'pattern'")
        if self.format != "names" and not self.files:
            raise ValueError(f"format '{self.format}' needs 'files', the names of the files that hold the records")
        if self.format == "columns" and not self.columns:
            raise ValueError("format 'columns' needs 'columns', a name for each")
        return self


class Files(_Table):
    """Files of one sort: in which folders, under which names."""

    folder: Names
    file: Template
    """Name without its ending; with one, that is cut off."""


class Person(Files):
    only: Pattern = ""
    """What has to be in the name of a photo that is taken: that of the view from the front. Its named groups are fields."""
    broken: tuple[str, ...] = ()
    size: Size | None = None
    """Width and height of the photos, which their labels are for."""
    turn: Literal[0, 90, 180, 270] = 0
    """By so many degrees, against the clock, photos are turned that have this size lying down."""
    frame: Literal["thigh", "whole", "as is"] = "whole"


class Cloth(Files):
    product: Annotated[tuple[Template, ...], Field(min_length=1)]
    """Ids of products, of which the first one that a record has counts."""
    broken: tuple[str, ...] = ()
    frame: Literal["garment", "whole", "as is"] = "garment"


class _Regions(Files):
    """Labels of a picture."""

    kind: Literal["polygons", "map", "mask"]
    """polygons: in a JSON file; map: a picture of ids; mask: a grey picture, white the garment."""
    size: Size | None = None
    """Of the picture that the places are for; none: of the photo as it is when upright."""
    regions: str = "*"
    """Which keys of the document are regions, in the order of the number that they end in; later ones lie on top."""
    category: str = "category_id"
    points: str = "segmentation"


class Parse(_Regions):
    kind: Literal["polygons", "map"]
    labels: dict[int, int]
    """The source's id -> CIHP's, in the file its name. What is not named is background."""
    note: str = ""
    """What has to be known of them."""

    @field_validator("labels", mode="before")
    @classmethod
    def _by_name(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            raise ValueError("must be a table: 0 = 'hair'")
        for name in value.values():
            if isinstance(name, str) and name not in CIHP or isinstance(name, int) and not 0 <= name < len(CIHP_LABELS):
                raise ValueError(f"{name!r} is no label. There are: {', '.join(CIHP_LABELS)}")
        return {key: CIHP.get(name, name) for key, name in value.items()}


class ClothMask(_Regions):
    inside: tuple[int, ...] = ()
    without: tuple[int, ...] = ()
    """Lie on top, whatever the order."""

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if self.kind != "mask" and not self.inside:
            raise ValueError("'inside' is missing: the ids of the garment")
        return self


class Pose(Files):
    key: str
    """Of the numbers in the document."""
    numbers: Annotated[int, Field(ge=2)] = 3
    """So many of each joint, of which the first two are x and y; the third, where there is one, tells whether it is there."""
    joints: tuple[str, ...] = ()
    """BODY_25's names in the source's order, '' for what that has not. None: the order is not known, and no pose is written."""
    size: Size | None = None

    @field_validator("joints")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := [name for name in value if name and name not in BODY_25_JOINTS]:
            raise ValueError(f"'{unknown[0]}' is no joint. There are: {', '.join(BODY_25_JOINTS)}")
        return value


class Description(_Table):
    name: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
    title: str
    licence: str
    terms: str = ""
    category: Category = "upper"
    worn: bool = True
    """Whether the person of a pair wears its garment."""
    split: Literal["own", "hash"] = "own"
    """own: what scopes and records say; by hash for the rest."""
    pair_name: Template = ""
    """Names of pairs; none: they are numbered."""
    scopes: tuple[Scope, ...] = ()
    records: Annotated[tuple[Records, ...], Field(min_length=1)]
    person: Person
    cloth: Cloth
    parse: Parse | None = None
    cloth_mask: ClothMask | None = None
    pose: Pose | None = None
    take: dict[str, Files] = {}
    """Artifact -> files that are taken as they are: photos are, too, with `frame = "as is"`."""

    @field_validator("take")
    @classmethod
    def _artifacts(cls, value: dict[str, Files]) -> dict[str, Files]:
        for name in value:
            if name not in PLACES or name in ("person", "cloth"):
                known = (artifact for artifact in PLACES if artifact not in ("person", "cloth"))
                raise ValueError(f"'{name}' is no artifact. There are: {', '.join(known)}")
        return value

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        for name in self.take:
            of = "cloth" if name in OF_CLOTHS else "person"
            if getattr(self, of).frame != "as is":
                raise ValueError(f"take.{name} needs {of}.frame = 'as is': it would not fit what is framed anew")
            if getattr(self, name, None) is not None:
                raise ValueError(f"take.{name} and {name} are two ways to the same. Keep one of them")
        if self.pair_name and not self.worn:
            raise ValueError("'pair_name' needs 'worn': a pair has one name where the person wears the garment")
        return self

    def rules(self) -> Iterator[Files]:
        """All sorts of files."""
        yield from (self.person, self.cloth, *self.take.values())
        yield from (each for each in (self.parse, self.cloth_mask, self.pose) if each is not None)


def packaged() -> dict[str, Path]:
    """Name -> file of the descriptions that come along."""
    return {path.stem: path for path in sorted(PACKAGED.glob("*.toml"))}


def read(source: str) -> Description:
    """By the name of one that comes along, or from a file. Raises DescriptionError."""
    known = packaged()
    path = known.get(source) or Path(source)
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DescriptionError(
            f"There is no source '{source}'. Name one of {', '.join(known)}, or the TOML file of your own."
        ) from None
    except OSError as error:
        raise DescriptionError(f"'{source}' cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise DescriptionError(f"'{source}' is not UTF-8 text. Save it as UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        raise DescriptionError(f"'{source}' is no TOML: {error}.") from None
    try:
        return Description.model_validate(document)
    except ValidationError as error:
        raise DescriptionError("\n".join(f"'{source}', {_told(each)}" for each in error.errors())) from None


def _told(error: Any) -> str:
    place = ".".join(str(part) for part in error["loc"]) or "the whole"
    said = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        said = "there is no such key. docs/datasets.md lists them"
    elif error["type"] == "missing":
        said = "this key is missing. docs/datasets.md says what belongs there"
    return f"{place}: {said}."
