"""The log of a service: one line for each thing that happened, for people or, as JSON, for programs.

What a line is about goes into fields, not into its words: log.info("job failed", extra={"job": ..., "stage": ...}).
"""

import datetime
import json
import logging
from typing import Any, Dict

FORMATS = ("text", "json")

FIELDS = ("job", "kind", "attempt", "stage", "engine", "trace", "method", "path", "status", "code", "seconds")
"""Of a line, in this order; those that it does not name are left out."""

LONGEST = 200
"""Characters of a field: some are a stranger's, a path for instance."""


def set_up(level: str, form: str = "text") -> None:
    """Log to stderr: everything of this process, Uvicorn's own lines too, which must be started with log_config=None.

    Raises ValueError for a format or level that there is not.
    """
    if form not in FORMATS:
        raise ValueError("HOWSFIT_LOG_FORMAT must be %s, not %r" % (" or ".join(FORMATS), form))
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger("httpx").setLevel("WARNING")  # it would tell of every health check


class JsonLines(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """With `time` in UTC, `level`, `logger`, `message`, the fields, and `exception`, the traceback."""
        time = datetime.datetime.fromtimestamp(record.created, datetime.timezone.utc)
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S.") + "%03dZ" % (time.microsecond // 1000),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }  # type: Dict[str, Any]
        line.update(_fields(record))
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class TextLines(logging.Formatter):
    """Time, level, words, and the fields as name=value."""

    def format(self, record: logging.LogRecord) -> str:
        """Further lines, of a traceback for instance, are indented: nobody's words can pass for a line of the log."""
        words = " ".join(
            [self.formatTime(record), record.levelname, record.getMessage()]
            + ["%s=%s" % (name, _plain(value)) for name, value in _fields(record).items()]
        )
        if record.exc_info:
            words += "\n" + self.formatException(record.exc_info)
        first, *others = words.splitlines() or [""]
        return "\n".join([first] + ["    " + other for other in others])


def _fields(record: logging.LogRecord) -> Dict[str, Any]:
    found = {}
    for name in FIELDS:
        value = getattr(record, name, None)
        if value is not None:
            found[name] = round(value, 3) if isinstance(value, float) else value
            if isinstance(value, str):
                found[name] = value[:LONGEST]
    return found


def _plain(value: Any) -> str:
    text = str(value)
    return text if text.isprintable() and " " not in text else json.dumps(text)
