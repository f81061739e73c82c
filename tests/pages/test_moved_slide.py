"""A slide that lies elsewhere than when it was analysed, and is the same by its content."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared import resources, runs, state
from seg_core.scoring import parts_of
from seg_core.store import Run, RunWriter

GONE = Path("/another place/discs.png")


@pytest.fixture
def moved(run: Run) -> Run:
    """The finished analysis, which was made of the slide at a place that is no more."""
    return RunWriter(run.path).write_facts(run.with_slide_at(GONE).facts)


def texts(page: AppTest) -> str:
    told = [*page.info, *page.warning, *page.error, *page.caption, *page.markdown]
    return "\n".join(each.value for each in told)


@pytest.mark.parametrize("section", ["Overview", "Map", "Gallery"])
def test_the_nuclei_are_shown_of_the_slide_where_it_is_now(
    visit, chosen: state.ChosenSlide, moved: Run, section: str
) -> None:
    """It said that the slide is no longer where it was, with the slide open beside it."""
    page = visit("nuclei", slide=chosen)
    page.segmented_control(key="_section").set_value(section).run()
    assert not page.exception
    assert not page.error
    assert "where it was" not in texts(page)


def test_an_analysis_reads_the_slide_that_was_chosen(
    chosen: state.ChosenSlide, moved: Run, session: dict[str, object]
) -> None:
    """The TIL scores, reports and files look at the tissue of the slide through the analysis."""
    assert moved.slide_path == GONE
    shown = runs.shown_run(chosen)
    assert shown is not None
    assert shown.slide_path == chosen.path
    assert shown.tissue().area_um2(shown.region) > 0


def test_a_slide_that_comes_back_is_looked_at_again(
    chosen: state.ChosenSlide, moved: Run, tmp_path: Path
) -> None:
    """That it was gone stayed true for as long as the dashboard ran."""
    back = moved.with_slide_at(tmp_path / chosen.path.name)
    (whole,) = parts_of(back, [])

    def has_tissue() -> tuple[bool, bool]:
        told = resources.statistics(back, whole, min_score=0.0, other=False)
        return resources.run_tissue(back) is not None, "where it was" not in str(told.no_interval)

    assert has_tissue() == (False, False)
    back.slide_path.write_bytes(chosen.path.read_bytes())
    assert has_tissue() == (True, True)


def test_it_can_be_taught_from(visit, chosen: state.ChosenSlide, moved: Run) -> None:
    assert "Nothing has been analysed yet" in texts(visit("teach"))
    page = visit("teach", slide=chosen)
    assert "Nothing has been analysed yet" not in texts(page)
    assert page.multiselect(key="_teach_runs").value == [moved.path]


@pytest.mark.parametrize("page", ["viewer", "nuclei", "til_score", "evaluate"])
def test_a_slide_that_has_gone_is_told_once_where_the_page_would_be(
    visit, page: str, tmp_path: Path
) -> None:
    """Beside an empty page it stood in the sidebar alone, or twice, and nothing led on."""
    shown = visit(
        page,
        slide=state.ChosenSlide(tmp_path / "gone.svs"),
        refused="There is no file gone.svs; check its name and place.",
    )
    assert [each.value for each in shown.main.error] == [
        "There is no file gone.svs; check its name and place."
    ]
    assert not shown.sidebar.error
    assert [each.proto.label for each in shown.main.get("page_link")] == ["Go to Slides"]
