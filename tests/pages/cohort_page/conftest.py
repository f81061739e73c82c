"""The page as whoever runs the dashboard sees it."""

import pytest

from pages.shared import singletons
from pages.shared.cohorts import Cohorts


@pytest.fixture(autouse=True)
def at_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEG_LOCAL", "1")
    cohorts = Cohorts(lambda: False)
    monkeypatch.setattr(singletons, "cohorts", lambda: cohorts)
