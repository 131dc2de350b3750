"""Prometheus metrics of the gateway, in a registry of their own."""

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

BUCKETS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60, 120, 300, 600)
"""Seconds; the same list as the stages'."""


class Metrics:
    """What is counted here. The stages count their own runs."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._tryons = Counter("howsfit_jobs", "Try-ons ended.", ["outcome"], registry=self._registry)
        self._seconds = Histogram(
            "howsfit_job_duration_seconds",
            "A try-on, without its wait.",
            ["outcome"],
            buckets=BUCKETS,
            registry=self._registry,
        )
        self._webhooks = Counter(
            "howsfit_webhook_attempts", "Attempts to deliver a webhook.", ["outcome"], registry=self._registry
        )

    def observe_tryon(self, outcome: str, seconds: float) -> None:
        """Count a try-on that ended."""
        self._tryons.labels(outcome).inc()
        self._seconds.labels(outcome).observe(seconds)

    def observe_webhook(self, outcome: str) -> None:
        """Count an attempt: the state of the delivery after it (gateway.webhooks.delivery.State)."""
        self._webhooks.labels(outcome).inc()

    def render(self) -> bytes:
        """The text exposition format."""
        return generate_latest(self._registry)
