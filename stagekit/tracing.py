"""W3C trace context: a trace id for every request, the caller's own where it sent one."""

import re
import uuid
from typing import Optional

_TRACEPARENT = re.compile(r"^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$")


def trace_id(traceparent: Optional[str]) -> str:
    """The 32 hex digits of the caller's trace, or new ones."""
    match = _TRACEPARENT.match((traceparent or "").strip().lower())
    return match.group(1) if match and set(match.group(1)) != {"0"} else uuid.uuid4().hex


def traceparent(trace: str) -> str:
    """A header value for the next hop of this trace."""
    return "00-%s-%s-01" % (trace, uuid.uuid4().hex[:16])
