"""Settings of the gateway, from environment variables with the prefix HOWSFIT_."""

import json
import os
import re
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy import URL

from gateway.paths import parse_prefix, parse_proxies
from stagekit.folders import stage_names

Addressing = Literal["auto", "path", "virtual"]
"""Of an S3 bucket. path: HOST/BUCKET/KEY. virtual: BUCKET.HOST/KEY. auto: virtual at AWS, path at any other server."""

SQLITE = "howsfit.sqlite"
"""The database in data_dir, where no other is set."""


def engines_in(environment: Mapping[str, str], stages: Iterable[str]) -> dict[str, dict[str, str]]:
    """Stage -> engine -> address, of HOWSFIT_TRYON_URLS=hr_viton=http://hr-viton:8000,… Raises ValueError."""
    found: dict[str, dict[str, str]] = {}
    for stage in stages:
        variable = f"HOWSFIT_{stage.upper()}_URLS"
        for each in filter(None, re.split(r"[,\s]+", environment.get(variable, ""))):
            engine, sign, address = each.partition("=")
            if not sign or not re.fullmatch("[a-z0-9_]+", engine) or "://" not in address:
                raise ValueError(f"{variable}: '{each}' is not ENGINE=ADDRESS, as hr_viton=http://hr-viton:8000 is")
            found.setdefault(stage, {})[engine] = address
    return found


class Settings(BaseSettings):
    """Every value has a working default. The text below each is the reference of the configuration."""

    # Empty counts as unset, so that a line of .env can be left empty.
    model_config = SettingsConfigDict(
        env_prefix="HOWSFIT_", env_ignore_empty=True, use_attribute_docstrings=True, hide_input_in_errors=True
    )

    stages: dict[str, str] = Field(default_factory=lambda: {name: f"inproc://{name}" for name in stage_names()})
    """Stage name -> address, as JSON: http://pose:8000, or inproc://pose for one mounted in this process. Default: those whose
    folders are here, in this process."""

    fallbacks: dict[str, str] = Field(default_factory=dict)
    """Stage name -> address of what takes its place, as JSON, while its own engine cannot start, for instance without its
    weights. Every result then carries a warning. Default: what needs a stage that cannot start is refused."""

    engines: dict[str, dict[str, str]] = Field(
        default_factory=lambda known: engines_in(os.environ, known.get("stages", ()))
    )
    """Further engines that a request may choose: stage name -> engine -> address. Read from HOWSFIT_TRYON_URLS and the like,
    one for each stage: ENGINE=ADDRESS, separated by commas."""

    data_dir: Path = Path("out/gateway")
    """Folder for images and, by default, the database."""

    web_dir: Path | None = None
    """Folder of the built web app; default: web/dist beside the gateway's code, where `make web` puts it."""

    database_url: str | None = None
    """Where try-ons are kept: postgresql://USER:PASSWORD@HOST/NAME, which several gateways may share; default: a SQLite
    file in data_dir (in the cluster the data volume), for one gateway."""

    executor: str | None = None
    """Name of this gateway among those that share a database: the same after a restart. Default: the host's name."""

    s3_bucket: str | None = None
    """Keep images in this S3 bucket instead of data_dir; gateways on several machines need that."""

    s3_endpoint: str | None = None
    """Address of the S3 server as the gateway reaches it; default: AWS."""

    s3_public_endpoint: str | None = None
    """Address of the S3 server as clients reach it. With it, artifacts are downloaded from there by signed links."""

    s3_region: str | None = Field(None, pattern="^[A-Za-z0-9-]+$")
    """Region of the bucket; default: where boto3 looks (AWS_REGION, AWS_DEFAULT_REGION, ~/.aws/config), else us-east-1."""

    s3_addressing: Addressing = "auto"
    """How the bucket is named: path for https://HOST/BUCKET, virtual for https://BUCKET.HOST, which the server and the DNS must
    know; auto: virtual at AWS, path at any other server."""

    s3_access_key: str | None = None
    """Access key of the S3 server. Default: where boto3 looks for it."""

    s3_secret_key: SecretStr | None = None
    """Secret key of the S3 server. Default: where boto3 looks for it."""

    admin_key: SecretStr | None = None
    """With it, every request of the API needs a key: this one, which may do everything, or one made by POST /v1/keys.
    Default: no keys are asked for. At least 16 characters; make it with `openssl rand -hex 32`."""

    rate_per_minute: int = Field(600, ge=0)
    """Requests per minute of a key that has no rate of its own; 0: no bound."""

    max_jobs: int = Field(0, ge=0)
    """Try-ons that the owner of a key may have under way, unless the key says otherwise; 0: no bound."""

    cors_origins: Annotated[list[str], NoDecode] = []
    """Origins whose pages may use the API from a browser: https://shop.example, comma separated or as JSON; * for all.
    Default: none but the gateway's own."""

    base_path: str = ""
    """Path below which clients reach the gateway through a proxy, whether the proxy takes it off or not: /tryon for
    https://shop.example/tryon/. Default: what a trusted proxy says in X-Forwarded-Prefix, else none."""

    trusted_proxies: str = "127.0.0.1"
    """Proxies whose X-Forwarded-For, -Proto and -Prefix are believed: addresses and networks (10.0.0.0/8), comma separated;
    * for everybody who can reach the gateway."""

    retention: str = Field("24h", pattern=r"^\d+(\.\d+)?[smhd]$")
    """How long a try-on is kept with its images, and an uploaded image after its last use: 90m, 24h, 7d. What is kept for
    reuse goes with the last one of the photo or garment that it was made from."""

    cache_gb: float = Field(2.0, ge=0)
    """Most room for results kept for reuse, in gigabytes (10**9 bytes); those used longest ago go first."""

    stage_retry_s: float = Field(20.0, ge=0)
    """How long a job waits for a stage that is overloaded, or for a stage or store that is out of reach, in seconds. For a
    stage that is being started, as long as its start may take, if that is longer: `start_seconds` of its /info. 0: nothing
    is waited for."""

    max_running: int = Field(2, ge=1)
    """Try-ons under way in this gateway at the same time; further ones wait."""

    max_waiting: int = Field(1000, ge=0)
    """Try-ons that may wait; further ones are refused with `overloaded`."""

    max_upload_mb: float = Field(25.0, gt=0)
    """Largest picture taken, in megabytes (10**6 bytes)."""

    max_megapixels: float = Field(50.0, gt=0)
    """Largest picture taken, in millions of pixels."""

    max_batch: int = Field(400, ge=1)
    """Most try-ons in one batch."""

    webhook_secret: SecretStr | None = None
    """Lets webhooks be asked for: `whsec_` and the base64 of 24 to 64 random bytes, as `echo whsec_$(openssl rand -base64 32)`
    writes it. The secrets that sign them, one for each owner, are made from it: receivers check with theirs, of
    GET /v1/webhooks/secret. To change it, write the new one before the old one, with a space between, until the receivers know
    their new ones. Default: no webhooks."""

    webhook_allow: str = ""
    """Receivers of webhooks in your own network, separated by commas: host names, addresses and networks (10.0.0.0/8). Only
    these may have private addresses, speak plain http, or have a port other than 443 and 8443."""

    picture_allow: str = ""
    """Servers of pictures in your own network, written as webhook_allow is. A request may give a picture by its address: it is
    fetched from these, and from public servers over https on port 443 or 8443."""

    picture_timeout_s: float = Field(20.0, gt=0)
    """How long fetching a picture from its address may take, in seconds."""

    max_wait_s: float = Field(120.0, ge=0)
    """Upper bound on `Prefer: wait=N`, in seconds."""

    stage_timeout_s: float = Field(120.0, gt=0)
    """How long one stage may take, its queue included, in seconds."""

    startup_timeout_s: float = Field(180.0, gt=0)
    """How long after its start a job waits for stages that have not answered yet, in seconds. The gateway serves at once."""

    @field_validator("admin_key")
    @classmethod
    def _admin_key_is_hard_to_guess(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and not re.fullmatch(r"[!-~]{16,}", key.get_secret_value()):
            raise ValueError(
                "HOWSFIT_ADMIN_KEY is too easy to guess, or cannot be sent: write 16 characters or more, of ASCII and "
                "without spaces, e.g. from `openssl rand -hex 32`"
            )
        return key

    @field_validator("base_path")
    @classmethod
    def _base_path_is_one(cls, path: str) -> str:
        try:
            return parse_prefix(path)
        except ValueError as error:
            raise ValueError(f"HOWSFIT_BASE_PATH: {error}") from None

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies_have_addresses(cls, proxies: str) -> str:
        try:
            return parse_proxies(proxies)
        except ValueError as error:
            raise ValueError(f"HOWSFIT_TRUSTED_PROXIES: {error}") from None

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _listed(cls, origins: Any) -> Any:
        if not isinstance(origins, str):
            return origins
        return (
            json.loads(origins) if origins.lstrip().startswith("[") else [each for each in origins.split(",") if each]
        )

    @field_validator("cors_origins")
    @classmethod
    def _origins_as_browsers_send_them(cls, origins: list[str]) -> list[str]:
        origins = [origin.strip().rstrip("/") for origin in origins]
        for origin in origins:
            if origin != "*" and not re.fullmatch(r"https?://[^/\s*]+", origin):
                raise ValueError(f"'{origin}' is no origin: write scheme://host or scheme://host:port, or * for all")
        return origins

    def database(self) -> str:
        """The database's URL."""
        in_folder = URL.create("sqlite", database=str(self.data_dir / SQLITE))
        return self.database_url or in_folder.render_as_string()

    def retention_s(self) -> float:
        """The retention in seconds."""
        return float(self.retention[:-1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[self.retention[-1]]

    def executor_name(self) -> str:
        """This gateway's name. A SQLite file has one gateway, whose container may get a new host name at every start."""
        return self.executor or (socket.gethostname() if self.database_url else "gateway")
