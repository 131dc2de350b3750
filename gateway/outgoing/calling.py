"""Requests to strangers' servers: only to addresses that were judged, and nothing of one request is left for the next."""

import contextlib
import ssl
from collections.abc import AsyncIterator, Mapping

import httpx

from gateway.outgoing.addresses import Destination

CONNECT_S = 4.0
"""Of one address; a host may have several."""

ADDRESSES_TRIED = 3


@contextlib.asynccontextmanager
async def calling(
    method: str,
    destination: Destination,
    *,
    tls: ssl.SSLContext,
    timeout_s: float,
    headers: Mapping[str, str],
    content: bytes | None = None,
) -> AsyncIterator[httpx.Response]:
    """The answer of the first of the checked addresses that takes the connection; its body is still to be read.

    Redirects are not followed. Raises httpx.HTTPError.
    """
    timeout = httpx.Timeout(timeout_s, connect=CONNECT_S)
    errors = []
    for address in destination.addresses[:ADDRESSES_TRIED]:
        # A client of its own: no cookie, and no connection that was made for another host, is used again.
        async with httpx.AsyncClient(verify=tls, trust_env=False, timeout=timeout) as client:
            request = client.build_request(
                method,
                destination.url.copy_with(host=address),
                content=content,
                headers={"host": destination.url.netloc.decode("ascii"), **headers},
                extensions={"sni_hostname": destination.host},  # the certificate is checked against it, too
            )
            try:
                answer = await client.send(request, stream=True, follow_redirects=False)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                errors.append(str(error) or "no connection in time")
                continue
            try:
                yield answer
            finally:
                await answer.aclose()
            return
    raise httpx.ConnectError("; ".join(dict.fromkeys(errors)))
