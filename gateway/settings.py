"""Settings of the gateway, from environment variables with the prefix HOWSFIT_."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

STAGES = ("resize", "cloth_mask", "pose", "densepose", "human_parse", "agnostic", "tryon", "paste_back")


class Settings(BaseSettings):
    """Every value has a working default. The text below each is the reference of the configuration."""

    model_config = SettingsConfigDict(env_prefix="HOWSFIT_", use_attribute_docstrings=True)

    stages: dict[str, str] = Field(default_factory=lambda: {name: f"inproc://{name}" for name in STAGES})
    """Stage name -> address, as JSON: http://pose:8000, or inproc://pose for one mounted in this process."""

    data_dir: Path = Path("out/gateway")
    """Folder for the images of try-ons."""

    keep_tryons: int = Field(200, ge=1)
    """How many finished try-ons are kept, with their images; the oldest go first."""

    max_running: int = Field(2, ge=1)
    """Try-ons under way at the same time; further ones wait."""

    max_waiting: int = Field(64, ge=0)
    """Try-ons that may wait; further ones are refused with `overloaded`."""

    max_upload_mb: float = Field(25.0, gt=0)
    """Largest picture taken, in megabytes (10**6 bytes)."""

    max_wait_s: float = Field(120.0, ge=0)
    """Upper bound on `Prefer: wait=N`, in seconds."""

    stage_timeout_s: float = Field(120.0, gt=0)
    """How long one stage may take, its queue included, in seconds."""

    startup_timeout_s: float = Field(180.0, gt=0)
    """How long to wait for all stages to be ready at start, in seconds."""
