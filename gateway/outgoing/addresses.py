"""Which addresses the gateway calls for strangers: public ones, and what its operator lists. The guard against SSRF.

A URL comes from a stranger, but the request leaves from inside our network. So the host is resolved here, every address that
it has is judged, and the sender connects to one of these very addresses: a name that changes its mind in between (DNS
rebinding) gains nothing. How the host is spelled does not matter either, for only what it resolves to is judged.
"""

import asyncio
import contextlib
import ipaddress
import logging
import re
import socket
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx

from gateway.errors import GatewayError, PictureNotFetched, WebhookRefused

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

log = logging.getLogger("howsfit.gateway")

MAX_URL = 2000
"""Characters."""

PORTS = (443, 8443)
"""Of hosts that are not listed: others would make the gateway a port scanner for strangers."""

RESOLVE_S = 5.0

_HOST = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_UNICAST = ipaddress.ip_network("2000::/3")
"""The only IPv6 addresses that IANA gave out. `is_global` also takes site-local and multicast ones, among others."""

_SPECIAL = [ipaddress.ip_network(text) for text in ("192.0.0.0/24", "168.63.129.16/32")]
"""Where some clouds serve the machine's own credentials or settings, though `is_global` takes them for public."""


@dataclass(frozen=True)
class Purpose:
    """What the gateway calls an address for: how to speak of it, and what lists those that need not be public."""

    setting: str
    thing: str
    go: str
    refusal: type[GatewayError]


WEBHOOKS = Purpose("HOWSFIT_WEBHOOK_ALLOW", "webhook", "Webhooks go", WebhookRefused)
PICTURES = Purpose("HOWSFIT_PICTURE_ALLOW", "picture", "Pictures come", PictureNotFetched)


@dataclass(frozen=True)
class Destination:
    """An address that may be called."""

    url: httpx.URL
    host: str
    """Its host in ASCII, without brackets."""
    addresses: tuple[str, ...]
    """IP addresses of the host, each of them judged; connect to these only."""


class Addresses:
    """Judges the addresses that are called for one purpose."""

    def __init__(self, listed: str, purpose: Purpose) -> None:
        """listed: host names, IP addresses and networks (10.0.0.0/8), separated by commas. These may be private, speak plain
        http, and have any port; all others must be public, speak https, on one of PORTS. Raises ValueError.
        """
        self._purpose = purpose
        self._names, self._networks = _parse_list(listed, purpose.setting)
        # Its own threads: a name server that does not answer must not hold up what else needs threads.
        self._threads = ThreadPoolExecutor(8, thread_name_prefix="howsfit-resolver")

    async def check(self, url: str) -> Destination:
        """Parse and resolve. Raises the refusal of the purpose."""
        parsed, host = _parse(url, self._purpose)
        default = 443 if parsed.scheme == "https" else 80
        port = default if parsed.port is None else parsed.port
        found = await self._resolve(host, port)
        is_listed = host in self._names or all(self._is_listed(address) for address in found)
        if not is_listed:
            go, setting = self._purpose.go, self._purpose.setting
            for address in found:
                if not (is_public(address) or self._is_listed(address)):
                    log.warning(
                        "%s refused: %s has the address %s", self._purpose.thing, host, address
                    )  # not for strangers' eyes
                    raise self._refusal(
                        f"The host '{host}' has an address that is not public. Give one on the internet; one in your own "
                        f"network must be listed in {self._purpose.setting}."
                    )
            if parsed.scheme != "https":
                raise self._refusal(f"{go} over https. Write https://{host}…, or list the host in {setting}.")
            if port not in PORTS:
                ports = " or ".join(map(str, PORTS))
                raise self._refusal(f"{go} over port {ports}, not {port}. Change it, or list the host in {setting}.")
        return Destination(parsed, host, tuple(map(str, found)))

    def close(self) -> None:
        """Resolve nothing any more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _refusal(self, detail: str) -> GatewayError:
        return self._purpose.refusal(detail)

    def _is_listed(self, address: IPAddress) -> bool:
        return any(address in network for network in self._networks)

    async def _resolve(self, host: str, port: int) -> list[IPAddress]:
        """All addresses, the best first, IPv4-mapped ones as IPv4."""
        resolving = asyncio.get_running_loop().run_in_executor(self._threads, resolve, host, port)
        try:
            texts = await asyncio.wait_for(resolving, RESOLVE_S)
        except TimeoutError:
            raise self._refusal(f"The host '{host}' could not be looked up in time. Try again.") from None
        except (OSError, UnicodeError):
            raise self._refusal(f"The host '{host}' cannot be found. Check its spelling.") from None
        found = dict.fromkeys(_unmapped(ipaddress.ip_address(text)) for text in texts)
        if not found:
            raise self._refusal(f"The host '{host}' has no address. Check its spelling.")
        return list(found)


def resolve(host: str, port: int) -> list[str]:
    """IP addresses of a host, as the system finds them."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def is_public(address: IPAddress) -> bool:
    """Whether packets to it go to the internet, and to no private address inside of it (NAT64, 6to4, IPv4-mapped)."""
    address = _unmapped(address)
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_global and not address.is_multicast and not any(address in network for network in _SPECIAL)
    if address in _NAT64:
        return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    if address.sixtofour is not None and not is_public(address.sixtofour):
        return False
    return address in _UNICAST and address.is_global  # which Teredo is not


def _unmapped(address: IPAddress) -> IPAddress:
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _parse(url: str, purpose: Purpose) -> tuple[httpx.URL, str]:
    """The URL without its fragment, and its host."""
    if len(url) > MAX_URL:
        raise purpose.refusal(
            f"The address of a {purpose.thing} may have {MAX_URL} characters at most. Give a shorter one."
        )
    try:
        parsed = httpx.URL(url).copy_with(fragment=None)
        is_odd = "\\" in url or any(character.isspace() for character in url)
    except (httpx.InvalidURL, ValueError):
        is_odd = True
    if is_odd or parsed.scheme not in ("http", "https") or not parsed.raw_host:
        raise purpose.refusal(f"The address of a {purpose.thing} must be a whole URL: https://example.com/path.")
    if parsed.userinfo:
        raise purpose.refusal(f"The address of a {purpose.thing} may hold no user name or password.")
    host = parsed.raw_host.decode("ascii")
    if not _HOST.fullmatch(host) and _address(host) is None:
        raise purpose.refusal(f"'{host}' is no host name. Write https://example.com/path.")
    if len(str(parsed)) > MAX_URL:
        raise purpose.refusal(
            f"The address of a {purpose.thing} may have {MAX_URL} characters at most, percent-encoded."
        )
    return parsed, host


def _address(text: str) -> IPAddress | None:
    with contextlib.suppress(ValueError):
        if "%" not in text:  # a zone: it only means something on one machine
            return ipaddress.ip_address(text)
    return None


def _parse_list(listed: str, setting: str) -> tuple[set[str], list[IPNetwork]]:
    names: set[str] = set()
    networks: list[IPNetwork] = []
    for entry in _entries(listed):
        if "/" in entry or _address(entry) is not None:
            try:
                networks.append(ipaddress.ip_network(entry))
            except ValueError as error:
                raise ValueError(f"{setting}: {error}. Write a network as 10.0.0.0/8.") from None
        elif _HOST.fullmatch(entry):
            names.add(entry)
        else:
            raise ValueError(f"{setting}: '{entry}' is neither a host name nor a network. Write names without a port.")
    return names, networks


def _entries(listed: str) -> Iterable[str]:
    return filter(None, (entry.strip().lower() for entry in listed.split(",")))
