"""Prometheus metrics of one service, in a registry of its own: one process may hold all seven."""

import platform

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest

BUCKETS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60, 120, 300, 600)
"""Seconds. One list for the whole house, so that stages can be compared."""


class Metrics:
    """The counters of one stage."""

    def __init__(self, stage: str, engine: str, version: str) -> None:
        self.registry = CollectorRegistry()
        labels = {"namespace": "howsfit", "registry": self.registry}
        self.duration = Histogram(
            "stage_duration_seconds", "A run, from acceptance to answer.", ["stage", "outcome"], buckets=BUCKETS, **labels
        )
        self.phase = Histogram(
            "stage_phase_duration_seconds", "Parts of a run.", ["stage", "phase"], buckets=BUCKETS, **labels
        )
        self.refused = Counter("stage_refusals", "Runs refused, by error code.", ["stage", "code"], **labels)
        self.queue_depth = Gauge("queue_depth", "Runs waiting for the engine.", ["stage"], **labels)
        self.ready = Gauge("stage_ready", "1 when the engine is loaded.", ["stage"], **labels)
        info = Info("build", "What serves here.", registry=self.registry, namespace="howsfit")
        info.info({"stage": stage, "engine": engine, "version": version, "python": platform.python_version()})
        self.ready.labels(stage).set(0)
        self.queue_depth.labels(stage).set(0)

    def render(self) -> bytes:
        """The text exposition format."""
        return generate_latest(self.registry)
