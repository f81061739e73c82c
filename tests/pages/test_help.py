import pytest


@pytest.mark.parametrize("name", ["slides", "viewer", "nuclei"])
def test_every_page_tells_how_to_use_it_and_what_the_model_learnt(visit, name: str) -> None:
    page = visit(name)
    shown = "\n".join(each.value for each in page.markdown)
    assert "How to use it" in shown
    assert "Compare with your own eyes" in shown
    assert "The model: " in shown


def test_a_missing_model_is_one_sentence_in_the_help(
    visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEG_MODEL", "nobody's")
    page = visit("slides")
    assert any("there is no model" in each.value for each in page.error)
