"""For engines that may take hours: what would take too long is refused before it begins."""

from stagekit.errors import BadOption


def refuse_above_budget(
    steps: int, estimate_s: float, budget_s: float, device: str, setting: str, cheaper: str
) -> None:
    """Raises BadOption, naming both times, where a run of so many steps would take longer than its budget.

    budget_s: 0 for no limit; setting: the variable that gives it; cheaper: what else to ask for, as in "for quality=draft".
    """
    if 0 < budget_s < estimate_s:
        raise BadOption(
            f"{steps} steps would take about {duration(estimate_s)} on this {device}, more than the "
            f"{duration(budget_s)} that {setting} allows. Ask for fewer steps, {cheaper}, run it on a GPU, or raise that "
            "setting and HOWSFIT_STAGE_TIMEOUT_S (0 and hours: no limit).",
            members={"option": "steps"},
        )


def duration(seconds: float) -> str:
    """In words, of seconds, minutes or hours."""
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
