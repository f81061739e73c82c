"""Whoever presses a button that needs a file, and has brought none, is told so."""

import pytest


@pytest.mark.parametrize(
    ("page", "section", "button"),
    [
        ("evaluate", None, "Keep with the slide"),
        ("teach", "Files", "Use it"),
        ("teach", "Files", "Take them over"),
    ],
)
def test_a_press_without_a_file_says_that_there_is_none(
    visit, chosen, run, page: str, section: str | None, button: str
) -> None:
    """Nothing happened."""
    shown = visit(page, slide=chosen, run=run.path)
    if section is not None:
        next(each for each in shown.segmented_control if section in each.options).set_value(section)
        shown.run()
    next(each for each in shown.button if each.label == button).click().run()
    assert not shown.exception
    assert "There is no file yet" in " ".join(each.value for each in shown.warning)
