"""Durable jobs of any kind: one that was accepted ends, and its readers are told what happens to it."""
