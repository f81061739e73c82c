"""``teach``, ``classify`` and ``--as-found``, from labels in a file to what is exported."""

import json
import shutil
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest

from seg_core.commands import main
from seg_core.store import Run, open_run
from seg_core.teaching.apply import classify
from seg_core.teaching.labels import Labels
from seg_core.teaching.teach import teach


@pytest.fixture
def run(painted_run: Run, tmp_path: Path) -> Run:
    folder = tmp_path / painted_run.run_id
    shutil.copytree(painted_run.path, folder)
    return open_run(folder)


@pytest.fixture
def labels(run: Run, tmp_path: Path) -> Path:
    """Six nuclei of each class; macrophages are called melanocytes."""
    table = run.nuclei()
    rows = table.groupby("class_name").head(6)
    names = rows["class_name"].replace("macrophage", "melanocyte")
    frame = pd.DataFrame({"x": rows["x"], "y": rows["y"], "class": names})
    frame.to_csv(tmp_path / "labels.csv", index=False)
    return tmp_path / "labels.csv"


def exported(run: Run, path: Path, *options: str) -> pd.Series:
    assert main(["export", str(run.path), "--csv", str(path), "--other", "--force", *options]) == 0
    return pd.read_csv(path).set_index("nucleus_id")["class_name"]


def test_labels_teach_and_the_run_is_answered(
    run: Run,
    labels: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # the painting is smaller than a neighbourhood
    monkeypatch.setattr("seg_core.teaching.validation.AROUND_UM", 5.0)
    file = tmp_path / "skin.json"
    own = "melanocyte=#7a5c3e:other"
    teach = ["teach", str(run.path), "--labels", str(labels), "--out", str(file), "--class", own]
    assert main(teach) == 0
    said = capsys.readouterr().out
    assert "macro F1" in said
    assert "melanocyte" in said
    assert main(teach) == 1
    assert "exists already" in capsys.readouterr().err

    assert main(["classify", str(run.path), "--classifier", str(file)]) == 0
    assert "melanocyte 0 → " in capsys.readouterr().out
    before, after = (
        exported(run, tmp_path / "n.csv", *options) for options in (["--as-found"], [])
    )
    assert "melanocyte" not in set(before)
    assert "melanocyte" in set(after)
    main(["export", str(run.path), "--summary-csv", str(tmp_path / "s.csv")])
    assert set(pd.read_csv(tmp_path / "s.csv")["classifier"]) == {"skin"}
    assert main(["classify", str(run.path), "--forget"]) == 0
    assert exported(run, tmp_path / "n.csv").equals(before)


def test_a_classifier_of_nuclei_that_were_named_otherwise_says_so(
    run: Run, labels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "skin.json"
    assert main(["teach", str(run.path), "--labels", str(labels), "--out", str(file)]) == 0
    capsys.readouterr()
    classify = ["classify", str(run.path), "--classifier", str(file)]
    assert main(classify) == 0
    assert not capsys.readouterr().err
    entries = json.loads(file.read_text())
    entries["model"]["naming"] = ["0" * 16]
    file.write_text(json.dumps(entries))
    assert main(classify) == 0
    assert (
        f"note: {run.slide_path.name}: the classifier was taught where" in capsys.readouterr().err
    )


def test_corrections_are_exported_counted_and_taught_from(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["teach", str(run.path), "--out", str(tmp_path / "c.json")]) == 1
    assert "nothing was corrected in the runs" in capsys.readouterr().err
    table = run.nuclei()
    for name, wanted in (("lymphocyte", "epithelial"), ("macrophage", "neutrophil")):
        ids = table[table["class_name"] == name]["nucleus_id"].iloc[:5].tolist()
        run.journal().correct(ids, [name] * len(ids), wanted, by="ada")
    after = exported(run, tmp_path / "n.csv")
    before = exported(run, tmp_path / "n.csv", "--as-found")
    assert (after != before).sum() == 10
    main(["export", str(run.path), "--summary-csv", str(tmp_path / "s.csv")])
    assert set(pd.read_csv(tmp_path / "s.csv")["corrections"]) == {10}
    assert main(["teach", str(run.path), "--out", str(tmp_path / "c.json")]) == 0
    assert "has 5 labels; give at least 10" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text", ["melanocyte", "m=red", "=#112233", "m=#112233:lung", "uncertain=#112233"]
)
def test_what_is_no_class_is_wrong_use(run: Run, labels: Path, text: str) -> None:
    options = ["--labels", str(labels), "--out", "c.json", "--class", text]
    with pytest.raises(SystemExit) as ended:
        main(["teach", str(run.path), *options])
    assert ended.value.code == 2


def test_labels_are_written_for_qupath_and_read_again(
    run: Run, labels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = tmp_path / "labels.geojson"
    give = ["teach", str(run.path), "--labels", str(labels), "--labels-out", str(written)]
    assert main(give) == 0
    names = gpd.read_file(written)["classification"]
    assert sum("melanocyte" in str(each) for each in names) == 6
    again = ["teach", str(run.path), "--labels", str(written), "--out", str(tmp_path / "c.json")]
    assert main(again) == 0
    assert "melanocyte" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["teach", str(run.path), "--labels", str(labels)])
    assert "nothing to write" in capsys.readouterr().err


def test_a_classifier_that_knows_no_lymphocytes_has_no_til_score_but_a_sentence(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The scheme still has the model's lymphocytes, of which it would have counted none."""
    table = run.as_found().nuclei()
    rows = (
        table[table["class_name"].isin(["epithelial", "macrophage"])].groupby("class_name").head(9)
    )
    labels = Labels(run, rows["nucleus_id"].to_numpy(), tuple(rows["class_name"]))
    classify(run, teach([labels], with_anchors=False).classifier, name="skin")
    assert main(["til", str(run.path)]) == 1
    told = capsys.readouterr().err
    assert "TIL scores need lymphocytes, which the taught classifier skin does not tell" in told
    assert "it knows epithelial, macrophage" in told
    assert main(["til", str(run.path), "--as-found", "--json"]) == 0


def test_labels_are_not_lost_to_the_classifier_that_they_teach(
    run: Run, labels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With --force, GeoJSON that somebody had drawn was replaced by the classifier."""
    drawn = tmp_path / "labels.geojson"
    assert main(["teach", str(run.path), "--labels", str(labels), "--labels-out", str(drawn)]) == 0
    before = drawn.read_bytes()
    command = ["teach", str(run.path), "--labels", str(drawn), "--force"]
    assert main([*command, "--out", str(drawn)]) == 1
    assert "is read by this command" in capsys.readouterr().err
    one = str(tmp_path / "one.json")
    assert main([*command, "--out", one, "--labels-out", one]) == 1
    assert "is to hold two things" in capsys.readouterr().err
    assert drawn.read_bytes() == before


def test_a_classifier_of_another_model_is_refused_before_the_slide_is_analysed(
    run: Run, labels: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It was told when the analysis was done, which then was named nowhere."""
    file, store = tmp_path / "skin.json", tmp_path / "store"
    own = "melanocyte=#7a5c3e:other"
    teach = ["teach", str(run.path), "--labels", str(labels), "--out", str(file), "--class", own]
    assert main(teach) == 0
    command = ["analyse", str(run.slide_path), "--mpp", "0.25", "--classifier", str(file)]
    assert main([*command, "--out", str(store)]) == 1
    assert "the classifier was taught on what the model" in capsys.readouterr().err
    assert not store.exists()
