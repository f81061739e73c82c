"""What speaks against a run's numbers stands above them on every page."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pages.shared import resources
from seg_core.store import Run
from seg_core.store.run import RUN_FILE
from seg_core.unbroken import unbroken

DOUBTS = (
    "the nuclei seem too large for pixels of 0.5 µm: by their sizes a pixel is about 0.25 µm.",
    "this slide is unlike the images that the model has learnt from: it is paler. Look at them.",
    "no stain was found.",
)
SHOWN = (
    "The nuclei seem too large for pixels of 0.5 µm",
    "This slide is unlike the images that the model has learnt from",
    "No stain was found.",
)


@pytest.fixture
def doubtful_run(run: Run) -> Run:
    """The finished analysis, with warnings."""
    facts = replace(run.facts, warnings=DOUBTS)
    (run.path / RUN_FILE).write_text(json.dumps(facts.to_json()), encoding="utf-8")
    resources.run.clear()
    return Run(run.path, facts)


@pytest.mark.parametrize("page", ["viewer", "nuclei", "til_score", "evaluate"])
def test_a_doubt_is_shown_on_each_page_of_a_run(
    visit, chosen, doubtful_run: Run, page: str, tmp_path: Path
) -> None:
    shown = visit(page, slide=chosen, run=doubtful_run.path)
    found = [*shown.sidebar.warning, *shown.main.warning]
    for sentence in SHOWN:
        assert any(each.value.startswith(unbroken(sentence)) for each in found)


def test_the_viewer_says_briefly_what_speaks_against_a_run_and_the_rest_on_demand(
    visit, chosen, doubtful_run: Run
) -> None:
    """The whole text filled the sidebar and pushed the buttons out of sight."""
    shown = visit("viewer", slide=chosen, run=doubtful_run.path)
    assert [each.value for each in shown.sidebar.warning][:3] == [
        unbroken("The nuclei seem too large for pixels of 0.5 µm."),
        "This slide is unlike the images that the model has learnt from.",
        "No stain was found.",
    ]
    (unfolded,) = [each for each in shown.sidebar.expander if each.label == "Why, and what to do"]
    assert [each.value.split()[-1] for each in unfolded.markdown] == ["µm.", "them."]
