"""The debug page of a stage: what serves here, a form to try it, and recent runs with thumbnails and timings."""

import json
import time
from typing import Any, Dict, Iterable

from jinja2 import Environment, PackageLoader, select_autoescape

_pages = Environment(loader=PackageLoader("stagekit", "templates"), autoescape=select_autoescape(["html"]))
_pages.filters["clock"] = lambda at: time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


def render(info: Dict[str, Any], runs: Iterable[Any]) -> str:
    """The page as HTML. No script, nothing from other hosts."""
    options = info["option_schema"]["properties"]
    example = json.dumps({name: option["default"] for name, option in options.items()})
    return _pages.get_template("debug.html").render(info=info, example=example, runs=list(runs))
