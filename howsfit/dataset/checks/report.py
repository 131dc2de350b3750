"""What a check found, as a document, and as text for people."""

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, TypeVar

from rich.console import Console
from rich.markup import escape

from howsfit.dataset.checks.run import Mended, Report
from howsfit.dataset.checks.traps import TRAPS, Finding
from howsfit.files import as_utf8

Item = TypeVar("Item", Finding, Mended)


def document(report: Report) -> dict[str, Any]:
    """All of it, for programs and for `howsfit dataset preview`."""
    groups = _grouped(report.findings)
    return {
        "folder": str(report.root.resolve()),
        "size": list(report.size),
        "files": report.files,
        "subjects": report.subjects,
        "seconds": round(report.seconds, 2),
        "errors": report.errors(),
        "warnings": len(report.findings) - report.errors(),
        "traps": {
            code: {
                "level": TRAPS[code].level,
                "count": len(found),
                "means": TRAPS[code].means,
                "mend": TRAPS[code].mend,
                "safe": TRAPS[code].safe is not None,
            }
            for code, found in groups.items()
        },
        "findings": [finding._asdict() for finding in report.findings],
        "mended": [each._asdict() for each in report.mended],
    }


def write(report: Report) -> bytes:
    return as_utf8(json.dumps(document(report), indent=1, ensure_ascii=False))


def print_report(report: Report, out: Console, shown: int, dry_run: bool) -> None:
    """shown: files of each trap that are named."""
    for code, found in _grouped(report.findings).items():
        trap = TRAPS[code]
        colour = "red" if trap.level == "error" else "yellow"
        _say(out, f"[{colour}]{trap.level}[/{colour}] [bold]{code}[/bold] ({len(found)})  {escape(trap.means)}")
        for finding in found[:shown]:
            _say(out, f"    {escape(finding.file)}  [dim]{escape(finding.found)}[/dim]")
        if len(found) > shown:
            _say(out, f"    … and {len(found) - shown} more")
        _say(
            out,
            f"    [green]mend[/green]  {escape(trap.mend)}"
            + (" --mend does it where nothing has to be guessed." if trap.safe else ""),
        )
    if report.mended:
        told = "would be mended" if dry_run else "mended"
        for code, mended in _grouped(report.mended).items():
            _say(out, f"[green]{told}[/green] [bold]{code}[/bold] ({len(mended)})")
            for each in mended[:shown]:
                _say(out, f"    {escape(each.file)}")
            if len(mended) > shown:
                _say(out, f"    … and {len(mended) - shown} more")
    rate = report.files / max(report.seconds, 1e-6)
    errors = report.errors()
    warnings = len(report.findings) - errors
    _say(
        out,
        f"{report.files} files of {report.subjects} persons and garments, {report.size[0]} x {report.size[1]}, in "
        f"{report.seconds:.1f} s ({rate:.0f} a second): {errors or 'no'} errors, {warnings or 'no'} warnings.",
    )


def _say(out: Console, text: str) -> None:
    out.print(text, highlight=False, soft_wrap=True)


def _grouped(items: Iterable[Item]) -> dict[str, list[Item]]:
    """By their code, in the order in which they come."""
    groups: dict[str, list[Item]] = defaultdict(list)
    for each in items:
        groups[each.code].append(each)
    return groups
