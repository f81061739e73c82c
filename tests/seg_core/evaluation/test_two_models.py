"""Two models measured by the same images: each one's own figures, and how they differ."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from painted_images import CARD, FP32, REFERENCE, SHOWN, PaintedEngine, command, write_image

from seg_core.classes import MONUSAC, ClassScheme
from seg_core.evaluation import evaluate as evaluate_module
from seg_core.evaluation.evaluate import evaluate
from seg_core.evaluation.metrics import intervals_of

ONE, TWO, *REST = MONUSAC.classes
OTHER_NAMES = ClassScheme((replace(ONE, name=TWO.name), replace(TWO, name=ONE.name), *REST))
OF_OTHERS = replace(CARD, name="of others", scheme=OTHER_NAMES)


class ShortSighted(PaintedEngine):
    """Sees neutrophils as lymphocytes, which is right in the painted images."""

    def run(self, tiles):
        for number, logits in super().run(tiles):
            logits[2] = np.maximum(logits[2], logits[3])
            logits[3] = 0
            yield number, logits


@pytest.fixture(autouse=True)
def models(monkeypatch):
    cards = {None: CARD, "better": replace(CARD, name="better", sha256="1" * 64), "o": OF_OTHERS}
    engines = {"painted": PaintedEngine, "better": ShortSighted, "of others": PaintedEngine}
    monkeypatch.setattr(evaluate_module, "find_model", lambda name: (cards[name], Path("painted")))
    monkeypatch.setattr(evaluate_module, "make_engine", lambda card, *_: engines[card.name]())
    monkeypatch.setattr(evaluate_module, "intervals_of", partial(intervals_of, samples=20))


def test_each_has_the_figures_it_has_alone(data):
    both = evaluate(data, None, FP32, beside="better")
    second = both.pop("beside")
    assert second == evaluate(data, "better", FP32)
    assert {name: both[name] for name in both if not name.startswith("difference")} == evaluate(
        data, None, FP32
    )
    json.dumps(second, allow_nan=False)


def test_the_difference_is_the_second_less_the_first(data):
    both = evaluate(data, None, FP32, beside="better")
    gain = both["difference"]["instance"]["f1"]["lymphocyte"]
    second = both["beside"]["instance"]["f1"]["lymphocyte"]
    assert gain == pytest.approx(second - both["instance"]["f1"]["lymphocyte"])
    assert gain > 0.1
    low, high = both["difference95"]["instance"]["f1"]["lymphocyte"]
    assert low <= gain <= high
    assert both["difference"]["instance"]["bpq"] == 0
    assert both["difference95"]["instance"]["bpq"] == [0, 0]  # what is hard for both cancels
    back = evaluate(data, "better", FP32, beside=None)
    assert "beside" not in back


def test_models_of_different_classes_have_no_difference(data):
    both = evaluate(data, None, FP32, beside="o")
    assert both["difference"] is both["difference95"] is None
    assert both["beside"]["model"]["name"] == "of others"


def test_against_dots_too(tmp_path):
    write_image(tmp_path, "a", SHOWN, REFERENCE)
    for kind in ("inst", "class"):
        (tmp_path / kind / "a.png").unlink()
        (tmp_path / kind).rmdir()
    rows = "".join(f"a,{x},{y},lymphocyte\n" for x, y, kind in REFERENCE if kind == 2)
    (tmp_path / "points.csv").write_text(f"image,x_px,y_px,class\n{rows}")
    both = evaluate(tmp_path, None, FP32, classes="brca_m2c", beside="better")
    assert both["difference"]["dots"]["recall"]["lymphocyte"] == pytest.approx(1 / 2)
    assert both["difference95"]["dots"]["recall"]["lymphocyte"] is None  # one image


def test_progress_counts_each_image_twice(data):
    told = []
    evaluate(data, None, FP32, beside="better", report=lambda *done: told.append(done))
    assert told == [(0, 4), (1, 4), (2, 4), (2, 4), (3, 4), (4, 4)]


def test_the_command_prints_both_and_the_difference(data, tmp_path, capsys):
    target = tmp_path / "out.json"
    assert command("--data", data, "--with-model", "better", "--json", target) == 0
    first, second = capsys.readouterr().out.split("beside it better\n")
    gain = json.loads(target.read_text())["difference"]["instance"]["macro_f1"]
    assert f"macro_f1                {gain:.3f}" in second.split("second less first\n")[1]
    assert "macro_f1" in first


def test_a_card_keeps_the_figures_of_one_model(data, capsys):
    with pytest.raises(SystemExit, match="2"):
        command("--data", data, "--with-model", "better", "--card-entry", "mine")
    assert "a card keeps the figures of one model" in capsys.readouterr().err
