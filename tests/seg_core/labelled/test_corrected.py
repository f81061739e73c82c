"""Corrections become labelled images that training and evaluation read."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from shapely.affinity import translate

from seg_core.classes import ClassScheme, NucleusClass
from seg_core.commands import main
from seg_core.errors import ExportError
from seg_core.labelled.corrected import DATA_SET, write_corrected
from seg_core.labelled.data_sets import UNKNOWN
from seg_core.labelled.reading import read_labelled
from seg_core.store import Run, open_run
from seg_core.store.answer import Answer, write_answer


@pytest.fixture
def run(painted_run: Run, tmp_path: Path) -> Run:
    folder = tmp_path / painted_run.run_id
    shutil.copytree(painted_run.path, folder)
    return open_run(folder)


def labelled_in(folder: Path) -> list[tuple[str, float]]:
    """The class and the area, µm², of each nucleus that is read back."""
    found = []
    for image in read_labelled(folder, DATA_SET):
        areas = np.bincount(image.instances.ravel(), minlength=len(image.classes) + 1)[1:]
        assert UNKNOWN not in image.classes
        assert not image.ignore[image.instances > 0].any()
        scheme = {0: "other", 1: "epithelial", 2: "lymphocyte", 3: "neutrophil", 4: "macrophage"}
        found += [
            (scheme[int(class_id)], float(area) * image.mpp**2)
            for class_id, area in zip(image.classes, areas, strict=True)
        ]
    return sorted(found)


def whole(run: Run, count: int) -> pd.DataFrame:
    """Nuclei in the middle of a square, so that each is in one image."""
    table = run.nuclei()
    bounds = table.geometry.bounds * run.slide_mpp / DATA_SET.mpp
    inside = (bounds[["minx", "miny"]] // 512).to_numpy() == (
        bounds[["maxx", "maxy"]] // 512
    ).to_numpy()
    return table[inside.all(axis=1)].head(count)


def test_what_was_corrected_is_read_back_and_all_else_is_ignored(run, tmp_path) -> None:
    one, right, none = whole(run, 3).itertuples()
    run.journal().correct([one.nucleus_id], [one.class_name], "macrophage", by="ada")
    run.journal().correct([right.nucleus_id], [right.class_name], right.class_name, by="ada")
    run.journal().correct([none.nucleus_id], [none.class_name], None, by="ada")
    assert write_corrected(run, tmp_path / "masks") == 3
    found = dict(labelled_in(tmp_path / "masks"))
    assert set(found) == {"macrophage", right.class_name}
    assert found["macrophage"] == pytest.approx(one.area_um2, rel=0.15)
    ignored = np.mean(
        [image.ignore.mean() for image in read_labelled(tmp_path / "masks", DATA_SET)]
    )
    assert 0.9 < ignored < 1
    # what is no nucleus is known to be background: as much again is not ignored as nuclei are
    seen = sum((~image.ignore).sum() for image in read_labelled(tmp_path / "masks", DATA_SET))
    labelled = sum(
        (image.instances > 0).sum() for image in read_labelled(tmp_path / "masks", DATA_SET)
    )
    assert seen * DATA_SET.mpp**2 > labelled * DATA_SET.mpp**2 + none.area_um2


def test_a_neighbour_that_nobody_looked_at_is_no_background(
    run, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rim around a labelled nucleus taught that nuclei beside it are none."""
    one, other = whole(run, 2).itertuples()
    run.journal().correct([one.nucleus_id], [one.class_name], "macrophage", by="ada")
    write_corrected(run, tmp_path / "alone")
    touching = translate(
        other.geometry,
        one.geometry.bounds[2] - other.geometry.bounds[0],
        one.geometry.centroid.y - other.geometry.centroid.y,
    )
    table = run.nuclei()
    geometry = table.geometry.mask(table["nucleus_id"] == other.nucleus_id, touching)
    monkeypatch.setattr(Run, "nuclei", lambda _run: table.set_geometry(geometry))
    write_corrected(run, tmp_path / "beside")
    (alone,), (beside,) = (
        list(read_labelled(tmp_path / name, DATA_SET)) for name in ("alone", "beside")
    )
    assert np.array_equal(alone.instances, beside.instances)
    hidden = beside.ignore & ~alone.ignore
    assert hidden.sum() > 10
    assert not (alone.ignore & ~beside.ignore).any()
    assert not (hidden & (alone.instances > 0)).any()


def test_a_class_of_ones_own_counts_as_that_of_its_role(run, tmp_path) -> None:
    own = ClassScheme(
        (*run.scheme.classes, NucleusClass(5, "keratinocyte", "#112233", "epithelium"))
    )
    table = run.nuclei()
    write_answer(
        run.path, Answer("skin", own, own.names, table[["nucleus_id", "class_name", "class_score"]])
    )
    one = next(whole(run, 1).itertuples())
    run.journal().correct([one.nucleus_id], [one.class_name], "keratinocyte", by="ada")
    write_corrected(run, tmp_path / "masks")
    assert [name for name, _ in labelled_in(tmp_path / "masks")] == ["epithelial"]


def test_without_a_word_of_anybody_there_is_nothing_to_learn(run, tmp_path) -> None:
    with pytest.raises(ExportError, match="nobody has said anything"):
        write_corrected(run, tmp_path / "masks")
    assert not (tmp_path / "masks").exists()


def test_the_command_writes_them_once(run, tmp_path, capsys) -> None:
    one = next(whole(run, 1).itertuples())
    run.journal().correct([one.nucleus_id], [one.class_name], "macrophage", by="ada")
    command = ["masks", str(run.path), "--out", str(tmp_path / "masks")]
    assert main(command) == 0
    assert [name for name, _ in labelled_in(tmp_path / "masks")] == ["macrophage"]
    assert main(command) == 1
    assert "exists already" in capsys.readouterr().err
    assert main([*command, "--force", "--anonymous"]) == 0
    images = [each.name for each in (tmp_path / "masks" / "images").iterdir()]
    assert [name.startswith(f"slide-{run.run_id}_") for name in images] == [True]
