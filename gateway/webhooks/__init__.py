"""Signed messages that tell receivers how a job ended."""
