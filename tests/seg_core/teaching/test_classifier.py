"""The file of a classifier: what was written is read, and nothing else is."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seg_core.classes import MONUSAC
from seg_core.errors import ExportError, SegCoreError, TeachingError
from seg_core.teaching.classifier import Classifier, read_classifier, write_classifier

NAMES = ("epithelial", "other")


def some_classifier() -> Classifier:
    rng = np.random.default_rng(0)
    return Classifier(
        scheme=MONUSAC,
        names=NAMES,
        model="tiny",
        model_sha256="a" * 64,
        features=("network_0", "area_um2", "eosin_od"),
        mean=rng.normal(size=3),
        scale=rng.uniform(1, 2, 3),
        coefficients=rng.normal(size=(2, 3)),
        intercepts=rng.normal(size=2),
        labels={"epithelial": {"a.svs": 4}, "other": {"b.svs": 3}},
        figures={"macro_f1": 0.8},
        naming=("0123456789abcdef",),
    )


def test_what_was_written_is_read(tmp_path: Path) -> None:
    written = some_classifier()
    write_classifier(written, tmp_path / "c.json")
    read = read_classifier(tmp_path / "c.json")
    assert read.to_json() == written.to_json()
    with pytest.raises(ExportError, match="exists already"):
        write_classifier(written, tmp_path / "c.json")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"kind": "something"}, "is no classifier of nuclei"),
        ({"format": 3}, "written by another version"),
        ({"format": 2}, "is damaged"),
        ({"format": 2, "centring": 1.5}, "centring is 1.5, not 0 to 1"),
        ({"format": 2, "centring": 1e400}, "centring is inf, not 0 to 1"),
        ({"format": 2, "centring": "half"}, "is damaged"),
        ({"coefficients": [[1, 2, 3]]}, "coefficients are not 2 × 3 finite numbers"),
        ({"coefficients": [["a"]]}, "is damaged"),
        ({"mean": [1e400, 0, 0]}, "mean are not 3 finite numbers"),
        ({"scale": [0, 1, 1]}, "divides by 0"),
        (
            {"names": ["epithelial"], "coefficients": [[1, 2, 3]], "intercepts": [1]},
            "tells 1 class",
        ),
        ({"names": ["epithelial", "unknown"]}, "names classes without a colour"),
        ({"classes": [{"id": 1, "name": "<b>\n", "colour": "#ffffff"}]}, "printable characters"),
        ({"classes": [{"id": 1, "name": "a", "colour": "url(x)"}]}, "has no colour like"),
        (
            {"classes": [{"id": 1, "name": "other", "colour": "#ffffff"}]},
            "cannot be called 'other'",
        ),
        ({"classes": [{"id": 3, "name": "a", "colour": "#ffffff"}]}, "is no classifier: class ids"),
        ({"labels": []}, "is damaged"),
        ({"model": None}, "is damaged"),
    ],
)
def test_a_foreign_or_hostile_file_is_one_sentence(
    tmp_path: Path, change: dict[str, Any], sentence: str
) -> None:
    path = tmp_path / "c.json"
    path.write_text(json.dumps(some_classifier().to_json() | change), "utf-8")
    with pytest.raises(TeachingError, match=sentence):
        read_classifier(path)


def test_a_file_without_centring_answers_as_it_was_taught(tmp_path: Path) -> None:
    """Files of earlier versions have none, and stay the same file when they are written again."""
    entries = some_classifier().to_json()
    assert entries["format"] == 1
    assert "centring" not in entries
    (tmp_path / "c.json").write_text(json.dumps(entries), "utf-8")
    read = read_classifier(tmp_path / "c.json")
    assert read.centring == 0
    assert read.sha256 == some_classifier().sha256
    values = np.random.default_rng(1).normal(3, 1, (50, 3)).astype(np.float32)
    logits = (values - read.mean) / read.scale @ read.coefficients.T + read.intercepts
    odds = np.exp(logits)
    expected = odds / odds.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(read.probabilities(values), expected, atol=1e-5)


def test_an_earlier_version_does_not_take_a_centred_classifier_for_its_own(tmp_path: Path) -> None:
    centred = replace(some_classifier(), centring=0.5)
    write_classifier(centred, tmp_path / "c.json")
    assert json.loads((tmp_path / "c.json").read_text("utf-8"))["format"] == 2
    assert read_classifier(tmp_path / "c.json").centring == 0.5


@pytest.mark.parametrize(
    "content", [b"", b"[1]", b"\x80\x04", b"[" * 100_000, b'{"kind": "nucleus classifier"}']
)
def test_no_json_at_all_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "c.json").write_bytes(content)
    with pytest.raises(TeachingError, match=r"c\.json"):
        read_classifier(tmp_path / "c.json")


def test_a_file_too_large_to_be_one_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "c.json").open("wb") as file:
        file.truncate(17 * 2**20)
    with pytest.raises(TeachingError, match="larger than 16 MB"):
        read_classifier(tmp_path / "c.json")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(key=st.sampled_from(sorted(some_classifier().to_json())), value=_JSON)
def test_whatever_stands_in_an_entry_it_is_read_or_refused_in_words(
    tmp_path_factory: pytest.TempPathFactory, key: str, value: object
) -> None:
    path = tmp_path_factory.mktemp("c") / "c.json"
    path.write_text(json.dumps(some_classifier().to_json() | {key: value}), "utf-8")
    with suppress(SegCoreError):  # anything else is a bug
        read = read_classifier(path)
        answers = read.probabilities(np.ones((2, len(read.features)), np.float32))
        assert answers.shape == (2, len(read.names))


CHILD = """
import sys
from pathlib import Path
from seg_core.teaching.classifier import read_classifier, write_classifier

path = Path(sys.argv[1])
classifier = read_classifier(path)
print("ready", flush=True)
while True:
    write_classifier(classifier, path, force=True)
"""


def test_kill_9_while_it_is_written_leaves_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    write_classifier(some_classifier(), path)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    for pause in np.linspace(0.0, 0.05, 5):
        with subprocess.Popen(
            [sys.executable, "-c", CHILD, str(path)], env=environment, stdout=subprocess.PIPE
        ) as child:
            assert child.stdout is not None
            child.stdout.readline()
            try:
                child.wait(timeout=float(pause) + 0.01)
            except subprocess.TimeoutExpired:
                child.send_signal(signal.SIGKILL)
        assert read_classifier(path).to_json() == some_classifier().to_json()
