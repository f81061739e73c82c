"""What is changed of a region in the sidebar, and what of it stays as it is."""

import pytest
import shapely

from pages.shared import regions
from pages.shared.chosen_slide import ChosenSlide
from pages.viewer_page import region_panel
from seg_core.roi import Roi


def test_name_and_kind_that_are_told_together_are_both_kept(
    visit, chosen: ChosenSlide, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that was told last put back the other, since it knew the region of before."""
    monkeypatch.setenv("SEG_LOCAL", "1")  # regions are kept beside the slide's runs
    regions.keep_slide_rois(chosen, [Roi("Region 1", shapely.box(10, 10, 90, 90))])
    page = visit("viewer", slide=chosen, roi="Region 1")
    field = next(each for each in page.text_input if each.label == "Name")
    kinds = next(each for each in page.segmented_control if each.label == "Nuclei in it")
    field.set_value("nest")
    kinds.set_value("tumour")
    page.run()
    assert not page.exception
    (kept,) = regions.slide_rois(chosen)
    assert (kept.name, kept.kind) == ("nest", "tumour")


@pytest.mark.parametrize(
    ("roi", "told"),
    [
        (Roi("a", shapely.box(0, 0, 9, 9), "tumour", class_name="Tumor"), "Rectangle of"),
        (Roi("a", shapely.box(0, 0, 9, 9), "exclude", class_name="Ignore*"), "Rectangle of"),
        (Roi("a", shapely.box(0, 0, 9, 9), class_name="Stroma"), "Stroma: Rectangle of"),
    ],
)
def test_the_class_that_stands_for_a_kind_is_not_told_beside_it(roi: Roi, told: str) -> None:
    """The kind *Tumour* was called "Tumor" on the next line."""
    assert region_panel.describe_roi(roi, 0.25).startswith(told)


@pytest.mark.parametrize(
    ("side", "told"),
    [(4, "1 × 1 µm, 1 µm²"), (9, "2.25 × 2.25 µm"), (1000, "250 × 250 µm, 0.0625 mm²")],
)
def test_the_size_of_a_region_can_be_read(side: int, told: str) -> None:
    assert told in region_panel.describe_roi(Roi("a", shapely.box(0, 0, side, side)), 0.25)
