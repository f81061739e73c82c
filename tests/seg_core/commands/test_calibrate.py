from pathlib import Path

import numpy as np
import pytest

from seg_core.commands import calibrate as room
from seg_core.commands import main
from seg_core.evaluation import calibration
from seg_core.model import ModelCard
from seg_core.model.card import read_card, write_card
from tests.seg_core.labelled_images import write_labelled_folder


@pytest.fixture
def overconfident(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A card whose model calls all lymphocytes with one voice, and is right in six of ten."""
    rng = np.random.default_rng(0)
    truth = np.where(rng.random(2000) < 0.6, 2, np.where(rng.random(2000) < 0.5, 1, 0))
    shares = np.zeros((2000, 5), np.float32)
    shares[:, 2] = 1
    # the epithelial ones are seen a little
    shares[truth == 1, 2], shares[truth == 1, 1] = 0.7, 0.3
    votes = calibration.Votes(shares, truth)
    monkeypatch.setattr(room, "votes_on", lambda *_: votes)
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"weights")
    card = ModelCard("model", path.name, "0" * 64, "none", 0.25, (0.5,) * 3, (0.5,) * 3)
    write_card(card, path.with_suffix(".json"))
    monkeypatch.setattr(room, "find_model", lambda _: (card, path))
    return path


def test_the_card_gets_the_weights_of_the_votes_and_what_they_change(
    overconfident: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labelled_folder = write_labelled_folder(tmp_path / "labelled")
    config = tmp_path / "run.toml"
    config.write_text(
        f'name = "n"\nencoder = "e"\nsteps = 1\n[[sources]]\nname = "monusac"\nfolder = "."\n'
        f'share = 1.0\n[[calibration]]\nname = "monusac"\nfolder = "{labelled_folder}"\nshare = 1.0\n'
    )
    assert main(["calibrate", "--config", str(config), "--model", str(overconfident)]) == 0
    card = read_card(overconfident.with_suffix(".json"))
    votes = card.scheme.votes
    assert votes is not None
    assert votes[1].bias < 0 < votes[0].bias
    report = card.metrics[calibration.ENTRY]["monusac"]
    assert report["nuclei"] == 2000
    assert report["after"]["error"] < 0.5 * report["before"]["error"]
    assert report["after"]["macro_f1"] > report["before"]["macro_f1"]
    assert "monusac: 2,000 nuclei, macro F1" in capsys.readouterr().out
