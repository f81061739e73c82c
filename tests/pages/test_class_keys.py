"""The keys that name nuclei, on the page Teach and in the viewer."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared import own_answer, singletons
from pages.shared.chosen_slide import ChosenSlide
from pages.shared.class_keys import class_keys
from pages.teach_page import labelling
from pages.viewer_page import correcting
from seg_core.classes import ClassScheme, NucleusClass
from seg_core.store import Run
from seg_core.store.own_classes import write_own_classes

Visit = Callable[..., AppTest]


def scheme_of(count: int) -> ClassScheme:
    numbers = range(1, count + 1)
    return ClassScheme(tuple(NucleusClass(each, f"class {each}", "#123456") for each in numbers))


@pytest.mark.parametrize("count", [1, 4, 8, 9, 10, 20])
def test_other_has_a_key_and_every_class_a_button(count: int) -> None:
    """From nine classes on *other* had neither key nor button on the page Teach."""
    scheme = scheme_of(count)
    keys = class_keys(scheme)
    assert tuple(keys) == scheme.names_with_other
    given = [key for key in keys.values() if key]
    assert given == sorted(set(given))
    assert set(given) <= set("123456789")
    assert keys["other"] == str(min(count + 1, 9))
    offered = labelling._choices(scheme)
    assert [each["name"] for each in offered] == [*scheme.names_with_other, None]


def test_page_table_and_viewer_tell_the_same_keys(
    run: Run, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEG_LOCAL", "1")
    write_own_classes(run.path, scheme_of(9).classes)
    expected = class_keys(run.scheme)
    assert len(expected) > 10
    page = visit("teach", _teach_section="Classes")
    table = page.dataframe[0].value
    assert dict(zip(table["Class"], table["Key"], strict=True)) == expected
    monkeypatch.setattr(own_answer, "corrector", lambda: own_answer.Corrector("ada", None))
    source = singletons.tile_sources().add(ChosenSlide(run.slide_path, 0.25))
    told = correcting.describe(run, source)
    assert told is not None
    assert {each["name"]: each["key"] for each in told["classes"]} == expected
