"""Requests to strangers' servers: which addresses may be called, how, and pictures fetched from there."""
