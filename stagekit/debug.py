"""The debug page of a stage: what serves here, a form to try it, and recent runs with thumbnails and timings."""

import time
from typing import Any, Dict, Iterable

from jinja2 import Environment, PackageLoader, select_autoescape

_pages = Environment(loader=PackageLoader("stagekit", "templates"), autoescape=select_autoescape(["html"]))
_pages.filters["clock"] = lambda at: time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


def render(info: Dict[str, Any], runs: Iterable[Any]) -> str:
    """The page as HTML. No script, nothing from other hosts."""
    return _pages.get_template("debug.html").render(info=info, runs=list(runs))
