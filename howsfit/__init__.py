"""Howsfit: the command line and the Python client."""

from howsfit.client import Client, TryonFailed, connect

__all__ = ["Client", "TryonFailed", "connect"]
