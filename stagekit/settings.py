"""Settings of a stage service, read once from the environment.

The standard library only: pydantic-settings has no release for Python 3.6, and a stage has six settings.
"""

import os
from typing import Any, Collection, Dict, Mapping, NamedTuple, Optional, TypeVar

Fields = TypeVar("Fields", bound=NamedTuple)


class Settings(NamedTuple):
    """Every value has a working default; each is read from `HOWSFIT_` + its name in capitals."""

    queue_size: int = 8
    """Runs that may wait beyond the engine's concurrency; further ones get `overloaded`."""

    max_image_mb: float = 25.0
    """Largest artifact taken, in megabytes (10**6 bytes)."""

    max_megapixels: float = 50.0
    """Largest image taken, in 10**6 pixels; checked before decoding."""

    weights_dir: str = ""
    """Folder that holds a folder of weights for each engine that needs them; empty: howsfit/weights in the user's cache."""

    idle_offload_s: float = 0.0
    """Seconds without a run after which an engine's models leave the GPU, until the next run brings them back; 0: they stay."""

    device_lock: str = ""
    """Folder, shared by all engines that share a GPU, in which they wait in line for it: one at a time has its models there.
    Empty: the GPU is for one engine alone."""

    debug_runs: int = 12
    """How many recent runs the debug page shows, with thumbnails; 0 keeps none."""

    listen_port: int = 8000
    """Port that `python -m stagekit.serve` listens on."""

    log_level: str = "INFO"
    """Level of the service's log on stderr."""

    log_format: str = "text"
    """Form of the log: text, lines for people, or json, one JSON object a line."""


def read_settings(environ: Optional[Mapping[str, str]] = None) -> Settings:
    """Read the settings. Raises ValueError naming the variable for a value of the wrong type."""
    return read_over(Settings(), environ)


def read_over(defaults: Fields, environ: Optional[Mapping[str, str]] = None) -> Fields:
    """Read any such class of settings, a stage's own for instance. Raises ValueError as read_settings does.

    defaults: an instance with the defaults.
    """
    environ = os.environ if environ is None else environ
    found: Dict[str, Any] = {}
    for name, default in defaults._asdict().items():
        variable = "HOWSFIT_" + name.upper()
        if variable not in environ:
            continue
        try:
            found[name] = type(default)(environ[variable])
        except ValueError:
            wanted = type(default).__name__
            raise ValueError("%s must be of type %s, not %r" % (variable, wanted, environ[variable])) from None
    return defaults._replace(**found)


def require_choices(settings: NamedTuple, allowed: Mapping[str, Collection[Any]]) -> None:
    """Raises ValueError naming the variable of the first setting that is none of its allowed values."""
    for name, values in allowed.items():
        value = getattr(settings, name)
        if value not in values:
            known = ", ".join(str(other) for other in values)
            raise ValueError("HOWSFIT_%s must be one of %s, not %r." % (name.upper(), known, value))


def require_range(settings: NamedTuple, name: str, least: int, most: int) -> None:
    """Raises ValueError naming the setting's variable where it is beyond these bounds."""
    value = getattr(settings, name)
    if not least <= value <= most:
        raise ValueError("HOWSFIT_%s must be from %d to %d, not %d." % (name.upper(), least, most, value))
