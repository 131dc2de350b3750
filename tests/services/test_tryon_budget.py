import pytest

from services.tryon.budget import duration, refuse_above_budget
from stagekit.errors import BadOption


def test_a_run_above_its_budget_is_refused_with_both_times_and_what_to_do():
    with pytest.raises(
        BadOption, match="30 steps would take about 2.0 hours on this cpu, more than the 2 minutes"
    ) as refused:
        refuse_above_budget(30, 7200, 120, "cpu", "HOWSFIT_MINE_S", "for quality=draft")
    assert "HOWSFIT_MINE_S" in str(refused.value) and "for quality=draft" in str(refused.value)
    assert refused.value.members == {"option": "steps"}


@pytest.mark.parametrize("budget_s", [0, 7200])
def test_a_run_within_it_or_without_one_goes_on(budget_s):
    refuse_above_budget(30, 7200, budget_s, "cpu", "HOWSFIT_MINE_S", "")


def test_times_are_said_as_people_say_them():
    assert [duration(seconds) for seconds in (8.4, 300, 8000)] == ["8 seconds", "5 minutes", "2.2 hours"]
