"""Pictures that a request gives by their address: fetched here, from public servers and those that the operator lists."""

import asyncio
import ssl

import httpx

from gateway.errors import PictureNotFetched, UploadTooLarge
from gateway.outgoing.addresses import PICTURES, Addresses
from gateway.outgoing.calling import calling
from gateway.settings import Settings

REDIRECTS = 5
ASKED = {"accept": "image/*", "accept-encoding": "identity", "user-agent": "howsfit-pictures/1"}


class PictureUrl(str):
    """The address of a picture, in the place of the picture itself."""


class Fetcher:
    """Fetches pictures. Every address on the way is judged, those that redirects lead to as well."""

    def __init__(self, settings: Settings, tls: ssl.SSLContext | None = None) -> None:
        """tls: default: the usual authorities, or those of SSL_CERT_FILE. Raises ValueError for a wrong list."""
        self._addresses = Addresses(settings.picture_allow, PICTURES)
        self._timeout_s = settings.picture_timeout_s
        self._max_mb = settings.max_upload_mb
        self._tls = tls or httpx.create_ssl_context()

    def close(self) -> None:
        """Fetch nothing any more."""
        self._addresses.close()

    async def fetch(self, url: str, name: str) -> bytes:
        """What the address gives, whatever its server calls it.

        name: of the picture, for errors. Raises PictureNotFetched, UploadTooLarge.
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                for _ in range(REDIRECTS + 1):
                    found = await self._ask(url, name)
                    if isinstance(found, bytes):
                        return found
                    url = found
        except (TimeoutError, httpx.TimeoutException):
            raise PictureNotFetched(
                f"The server of the {name} did not send it within {self._timeout_s:g} s. Try again, or send the file itself."
            ) from None
        except httpx.HTTPError as error:
            reason = str(error)[:300] or type(error).__name__
            raise PictureNotFetched(
                f"The server of the {name} cannot be reached ({reason}). Check its address."
            ) from None
        raise PictureNotFetched(f"The address of the {name} leads from one to the next, more than {REDIRECTS} times.")

    async def _ask(self, url: str, name: str) -> bytes | str:
        """The picture, or where the server says that it is."""
        destination = await self._addresses.check(url)
        async with calling("GET", destination, tls=self._tls, timeout_s=self._timeout_s, headers=ASKED) as answer:
            if answer.has_redirect_location:
                try:
                    return str(destination.url.join(answer.headers["location"]))
                except httpx.InvalidURL:
                    raise PictureNotFetched(f"The server of the {name} leads to what is no address.") from None
            if answer.status_code != 200:
                raise PictureNotFetched(
                    f"The server of the {name} answered {answer.status_code}. Give an address that anybody can open, or "
                    "send the file itself."
                )
            return await self._read(answer, name)

    async def _read(self, answer: httpx.Response, name: str) -> bytes:
        data = bytearray()
        async for chunk in answer.aiter_raw():
            data += chunk
            if len(data) > self._max_mb * 1e6:
                raise UploadTooLarge(f"The {name} has more than {self._max_mb:g} MB. Give a smaller picture.")
        return bytes(data)
