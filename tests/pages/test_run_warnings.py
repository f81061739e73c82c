"""What speaks against a run's numbers stands above them on every page."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pages.shared import resources
from seg_core.store import Run
from seg_core.store.run import RUN_FILE

DOUBT = "the nuclei seem too large for pixels of 0.5 µm: by their sizes a pixel is about 0.25 µm."
SHOWN = "The nuclei seem too large for pixels of 0.5 µm"


@pytest.fixture
def doubtful_run(run: Run) -> Run:
    """The finished analysis, with a warning."""
    facts = replace(run.facts, warnings=(DOUBT,))
    (run.path / RUN_FILE).write_text(json.dumps(facts.to_json()), encoding="utf-8")
    resources.run.clear()
    return Run(run.path, facts)


@pytest.mark.parametrize("page", ["viewer", "nuclei", "til_score"])
def test_a_doubt_is_shown_on_each_page_of_a_run(
    visit, chosen, doubtful_run: Run, page: str, tmp_path: Path
) -> None:
    shown = visit(page, slide=chosen, run=doubtful_run.path)
    found = [*shown.sidebar.warning, *shown.main.warning]
    assert any(each.value.startswith(SHOWN) for each in found)
