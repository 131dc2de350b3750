"""Prometheus metrics of one service, in a registry of its own: one process may hold all seven."""

import platform

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest

BUCKETS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60, 120, 300, 600)
"""Seconds. One list for the whole house, so that stages can be compared."""


class Metrics:
    """The counters of one stage."""

    def __init__(self, stage: str, engine: str, version: str) -> None:
        self.registry = CollectorRegistry()
        registry = self.registry
        self.duration = Histogram(
            "howsfit_stage_duration_seconds",
            "A run, from acceptance to answer.",
            ["stage", "outcome"],
            buckets=BUCKETS,
            registry=registry,
        )
        self.phase = Histogram(
            "howsfit_stage_phase_duration_seconds",
            "Parts of a run.",
            ["stage", "phase"],
            buckets=BUCKETS,
            registry=registry,
        )
        self.refused = Counter("howsfit_stage_refusals", "Runs refused.", ["stage", "code"], registry=registry)
        self.queue_depth = Gauge("howsfit_queue_depth", "Runs waiting for the engine.", ["stage"], registry=registry)
        self.ready = Gauge("howsfit_stage_ready", "1 when the engine is loaded.", ["stage"], registry=registry)
        info = Info("howsfit_build", "What serves here.", registry=registry)
        info.info({"stage": stage, "engine": engine, "version": version, "python": platform.python_version()})
        self.ready.labels(stage).set(0)
        self.queue_depth.labels(stage).set(0)

    def render(self) -> bytes:
        """The text exposition format."""
        return generate_latest(self.registry)
