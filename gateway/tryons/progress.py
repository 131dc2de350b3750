"""What those hear of a job before its end who asked to be told, by webhook."""

from collections.abc import Mapping
from typing import Any

from gateway.errors import StageRefused, StageUnreachable
from gateway.tryons.orders import kind_of
from gateway.tryons.patience import patiently
from gateway.webhooks.delivery import Webhooks
from gateway.webhooks.news import News


class Progress:
    """Of one attempt at a job. Nothing is asked of the database for a job of which nobody wants to hear but the end."""

    def __init__(
        self, webhooks: Webhooks, retry_s: float, tryon_id: str, payload: Mapping[str, Any], attempt: int
    ) -> None:
        """retry_s: how long a database that is out of reach is waited for. attempt: 1, and one more for every retry."""
        self._webhooks = webhooks
        self._retry_s = retry_s
        self._id = tryon_id
        self._kind = kind_of(payload)
        self._together = {kind: payload[kind] for kind in ("batch", "comparison") if kind in payload}
        self._events = payload.get("webhook_events", ())
        self._attempt = attempt

    async def started(self) -> None:
        """It begins, and so do those that it was ordered with, if it is the first. Raises StorageUnavailable."""
        if "started" not in self._events:
            return
        await self._note(self._id, News(self._kind, "started", str(self._attempt)))
        for kind, bundle_id in self._together.items():
            await self._note(bundle_id, News(kind, "started"))

    async def stage_retried(self, about: Mapping[str, Any], error: StageRefused | StageUnreachable) -> None:
        """A stage did not do its work, and is tried again, for the first time or once more. about: which stage, and for which
        sample and garment. Raises StorageUnavailable.
        """
        if "stage_retried" not in self._events:
            return
        problem = error.problem if isinstance(error, StageRefused) else error.problem()
        which = " ".join(str(about.get(name, 1)) for name in ("stage", "sample", "garment"))
        news = News(self._kind, "stage_retried", f"{self._attempt} {which}", {"retried": {**about, "error": problem}})
        await self._note(self._id, news)

    async def _note(self, ordered_id: str, news: News) -> None:
        await patiently(lambda: self._webhooks.note(ordered_id, news), self._retry_s, about={"job": self._id})
