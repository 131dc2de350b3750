"""What the routes share: the gateway that they belong to."""

from typing import Annotated

from fastapi import Depends, Request

from gateway.gateway import Gateway


def _of_request(request: Request) -> Gateway:
    gateway: Gateway = request.app.state.gateway
    return gateway


Here = Annotated[Gateway, Depends(_of_request)]
"""A route's parameter: the gateway that it belongs to."""
