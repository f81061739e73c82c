"""A run measured by what somebody labelled on its slide; the truth is painted."""

import argparse
import csv
import json
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import shapely
import shapely.affinity
from painted_slides import MPP, SMALL_TILES

from seg_core import commands as cli
from seg_core.analysis import analyse
from seg_core.classes import MONUSAC, NucleusClass
from seg_core.commands.evaluate import DATA_OPTIONS, add_evaluate
from seg_core.commands.evaluate_run import RUN_OPTIONS
from seg_core.errors import DataError
from seg_core.evaluation import kept
from seg_core.evaluation.kept import compare_kept, evaluate_kept, keep_reference
from seg_core.evaluation.metrics.bootstrap import bootstrap_weights
from seg_core.evaluation.run_evaluation import (
    RunEvaluation,
    _resampled,
    compare_runs,
    evaluate_run,
    reference_of_run,
)
from seg_core.export.csv import write_nuclei_csv
from seg_core.export.geojson import write_geojson as write_run_geojson
from seg_core.geometry import Raster, Region
from seg_core.labelled.class_mapping import mapping_of
from seg_core.labelled.slide_reference import MappedReference, map_classes, read_slide_reference
from seg_core.roi import Roi
from seg_core.store import Run, open_run
from seg_core.store.own_classes import write_own_classes

THEIRS = {
    "epithelial": "Tumor: Positive",
    "lymphocyte": "Immune cells",
    "neutrophil": "NEUTROPHILS",
    "macrophage": "Histiocytes",
    "other": "Stroma",
}
AREA = shapely.box(90, 90, 300, 330)


def feature(shape: shapely.Geometry, name: str | None, kind: str = "annotation") -> dict[str, Any]:
    said = {} if name is None else {"classification": {"name": name}}
    geometry = json.loads(shapely.to_geojson(shape))
    return {"type": "Feature", "geometry": geometry, "properties": {"objectType": kind, **said}}


def write_geojson(path: Path, features: list[dict[str, Any]]) -> Path:
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def of_run(run: Run, area: shapely.Geometry | None = AREA) -> list[dict[str, Any]]:
    """What the run has found, as QuPath would export it, with a region."""
    table = run.nuclei()
    region = [] if area is None else [feature(area, "Region*")]
    return region + [
        feature(shape, THEIRS[name], "detection")
        for shape, name in zip(table.geometry, table["class_name"], strict=True)
    ]


def read(run: Run, path: Path, **decided: str) -> MappedReference:
    reference = read_slide_reference(path, run.facts.slide, run.slide_mpp)
    mapping = mapping_of(reference.class_names, decided, run.scheme)
    return map_classes(reference, mapping, run.scheme)


def test_a_run_agrees_with_itself_and_counts_what_lies_in_the_region(
    painted_run: Run, tmp_path: Path
) -> None:
    reference = read(painted_run, write_geojson(tmp_path / "r.geojson", of_run(painted_run)))
    evaluation = evaluate_run(painted_run, reference)
    table = painted_run.nuclei()
    inside = table[shapely.contains(AREA, shapely.centroid(table.geometry.to_numpy()))]
    assert evaluation.result["reference"] == {
        name: int((inside["class_name"] == name).sum()) for name in MONUSAC.names_with_other
    }
    assert evaluation.result["reference"] == evaluation.result["predicted"]
    assert evaluation.result["instance"]["bpq"] == 1
    assert evaluation.result["instance"]["mpq_plus"] == 1
    assert set(evaluation.outcomes["outcome"]) == {"found"}
    assert evaluation.result["interval95"]["instance"]["bpq"] is None
    assert evaluation.result["bootstrap"]["over"] is None


def test_counts_in_a_region_are_those_of_shapely(painted_run: Run, tmp_path: Path) -> None:
    """Some nuclei lack in the reference, some are called otherwise, some are moved away a little."""
    table = painted_run.nuclei()
    rng = np.random.default_rng(3)
    features = [feature(AREA, "Region*")]
    shapes, names = [], []
    for shape, name in zip(table.geometry, table["class_name"], strict=True):
        chance = rng.random()
        if chance < 0.2:
            continue
        moved = shapely.affinity.translate(shape, *rng.uniform(-12, 12, 2))
        shapes.append(moved if chance < 0.7 else shape)
        names.append(name if chance < 0.85 else "epithelial")
        features.append(feature(shapes[-1], THEIRS[names[-1]]))
    result = evaluate_run(
        painted_run, read(painted_run, write_geojson(tmp_path / "r.geojson", features))
    ).result

    expected: Counter[tuple[str, str]] = Counter()
    used: dict[int, int] = {}
    for number, shape in enumerate(shapes):
        for row, found in enumerate(table.geometry):
            common = shape.intersection(found).area
            if common / (shape.area + found.area - common) > 0.5:
                used[row] = number
    partner = {number: row for row, number in used.items()}
    for number, shape in enumerate(shapes):
        if AREA.contains(shape.centroid):
            row = partner.get(number)
            called = "missed" if row is None else table["class_name"].iloc[row]
            expected[names[number], called] += 1
    for row, found in enumerate(table.geometry):
        if row not in used and AREA.contains(found.centroid):
            expected["spurious", table["class_name"].iloc[row]] += 1
    confusion = result["instance"]["confusion"]
    counted = {
        (row, column): count
        for row, counts in zip(confusion["rows"], confusion["counts"], strict=True)
        for column, count in zip(confusion["columns"], counts, strict=True)
        if count
    }
    assert counted == dict(expected)
    assert len({name for name, _ in counted}) > 3, "the painting is too easy"


def test_each_cell_of_the_confusion_has_its_nuclei(painted_run: Run, tmp_path: Path) -> None:
    features = of_run(painted_run)
    features[5]["properties"]["classification"]["name"] = "Tumor"
    del features[9]
    evaluation = evaluate_run(
        painted_run, read(painted_run, write_geojson(tmp_path / "r.geojson", features))
    )
    confusion, outcomes = evaluation.result["instance"]["confusion"], evaluation.outcomes
    for row, counts in zip(confusion["rows"], confusion["counts"], strict=True):
        for column, count in zip(confusion["columns"], counts, strict=True):
            listed = (outcomes["reference_class"] == ("" if row == "spurious" else row)) & (
                outcomes["called"] == ("" if column == "missed" else column)
            )
            assert listed.sum() == count


def test_a_border_between_two_centroids_does_not_tear_a_pair_apart(painted_run: Run) -> None:
    table = painted_run.nuclei()
    found = table.iloc[[20]]
    x, y = float(found["x"].iloc[0]), float(found["y"].iloc[0])
    moved = shapely.affinity.translate(found.geometry.iloc[0], 4, 0)
    for area, counted in (
        (shapely.box(x + 2, y - 40, x + 24, y + 20), 1),  # the reference's centroid alone is in
        (shapely.box(x - 24, y - 20, x + 2, y + 20), 0),  # the predicted one's alone
    ):
        reference = MappedReference(
            "painted",
            np.array([moved], dtype=object),
            np.array([MONUSAC.id_of(found["class_name"].iloc[0])], np.uint8),
            [("area", area)],
            shapely.MultiPolygon(),
        )
        outcomes = evaluate_run(painted_run, reference).outcomes
        of_pair = outcomes[outcomes["nucleus_id"] == int(found["nucleus_id"].iloc[0])]
        assert len(of_pair) == counted
        assert (of_pair["outcome"] == "found").all()


def test_xml_masks_and_geojson_of_the_same_nuclei_give_the_same_figures(
    painted_run: Run, tmp_path: Path
) -> None:
    info = painted_run.facts.slide
    table = painted_run.nuclei()
    labels = np.zeros((info.height, info.width), np.uint16)
    classes = np.zeros((info.height, info.width), np.uint8)
    layers = []
    for name, theirs in THEIRS.items():
        regions = []
        for number, (shape, of) in enumerate(
            zip(table.geometry, table["class_name"], strict=True), start=1
        ):
            if of != name or number % 7 == 0:
                continue
            corners = "".join(f'<Vertex X="{x}" Y="{y}"/>' for x, y in shape.exterior.coords[:-1])
            regions.append(f'<Region Id="{number}"><Vertices>{corners}</Vertices></Region>')
            for y in range(int(shape.bounds[1]), int(shape.bounds[3]) + 1):
                for x in range(int(shape.bounds[0]), int(shape.bounds[2]) + 1):
                    if shape.contains(shapely.Point(x + 0.5, y + 0.5)):
                        labels[y, x] = number
                        classes[y, x] = MONUSAC.id_of(name) or 9
        layers.append(
            f'<Annotation Name="{theirs}"><Regions>{"".join(regions)}</Regions></Annotation>'
        )
    xml = tmp_path / "r.xml"
    xml.write_text(f'<Annotations MicronsPerPixel="0.25">{"".join(layers)}</Annotations>')
    for folder, mask in (("inst", labels), ("class", classes)):
        (tmp_path / folder).mkdir()
        cv2.imwrite(str(tmp_path / folder / "r.png"), mask)
    features = [
        each for number, each in enumerate(of_run(painted_run, None), start=1) if number % 7
    ]
    geojson = write_geojson(tmp_path / "r.geojson", features)
    ids = {f"class {MONUSAC.id_of(name) or 9}": name for name in MONUSAC.names_with_other}
    figures = [
        evaluate_run(painted_run, read(painted_run, path, **decided)).result["instance"]
        for path, decided in ((geojson, {}), (xml, {}), (tmp_path / "inst" / "r.png", ids))
    ]
    assert figures[0]["confusion"]["counts"][-1] != [0] * 6, "nothing is spurious"
    for each in figures:
        del each["a_pq_challenge"]  # hangs on how nuclei are numbered
    assert figures[1] == figures[0]
    assert figures[2] == figures[0]


def test_dots_measure_detection_and_classes_alone(painted_run: Run, tmp_path: Path) -> None:
    table = painted_run.nuclei()
    path = tmp_path / "dots.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["x", "y", "class"])
        for number, nucleus in enumerate(table.itertuples()):
            if number % 5:
                rows.writerow([nucleus.x, nucleus.y, THEIRS[nucleus.class_name]])
        rows.writerow([2, 2, "Tumor"])
    evaluation = evaluate_run(painted_run, read(painted_run, path))
    dots = evaluation.result["dots"]
    told = len(table) - -(-len(table) // 5)
    assert "instance" not in evaluation.result
    assert dots["detected"] == pytest.approx(told / (told + 1))
    assert dots["detection_f1"] == pytest.approx(2 * told / (told + 1 + len(table)))
    outcomes = Counter(evaluation.outcomes["outcome"])
    assert outcomes == {"found": told, "missed": 1, "spurious": len(table) - told}

    points = [
        feature(shapely.MultiPoint([(row.x, row.y)]), THEIRS[row.class_name])
        for number, row in enumerate(table.itertuples())
        if number % 5
    ]
    points.append(feature(shapely.Point(2, 2), "Tumor"))
    same = evaluate_run(
        painted_run, read(painted_run, write_geojson(tmp_path / "dots.geojson", points))
    )
    assert same.result["dots"] == dots


def test_two_runs_are_compared_by_dots_with_a_paired_interval(
    painted_run: Run, tmp_path: Path
) -> None:
    """The corrected run calls nuclei otherwise that the dots name as the model did."""
    folder = tmp_path / painted_run.path.parent.name / painted_run.path.name
    shutil.copytree(painted_run.path, folder)
    run = open_run(folder)
    table = run.nuclei()
    points = [
        feature(shapely.Point(row.x, row.y), THEIRS[row.class_name]) for row in table.itertuples()
    ]
    reference = read(run, write_geojson(tmp_path / "dots.geojson", points))
    rows = table[table["class_name"] == "lymphocyte"].head(5)
    ids = rows["nucleus_id"].astype(int).tolist()
    run.journal().correct(ids, ["lymphocyte"] * len(ids), "other", by="reader")
    rois = [Roi(str(y), shapely.box(0, y, 1000, y + 150)) for y in (0, 150, 300, 450)]
    both = compare_runs(run.as_found(), run, (reference, reference), rois)
    lost = both["difference"]["dots"]["recall"]["lymphocyte"]
    assert both["first"]["dots"]["recall"]["lymphocyte"] == 1
    assert lost == pytest.approx(both["second"]["dots"]["recall"]["lymphocyte"] - 1)
    assert lost < 0
    low, high = both["difference95"]["dots"]["recall"]["lymphocyte"]
    assert low <= lost <= high <= 0
    assert both["difference"]["dots"]["detected"] == 0


@pytest.mark.usefixtures("painted_engines")
def test_two_runs_of_different_parts_are_not_compared(
    painted_run: Run, painted_slide: Path, tmp_path: Path
) -> None:
    """Each was measured on its own part, and the difference told as if both had looked there."""
    one, other = (
        analyse(painted_slide, tmp_path, mpp=MPP, region=region, settings=SMALL_TILES)
        for region in (Region(0, 0, 150, 150), Region(200, 200, 150, 150))
    )
    reference = read(painted_run, write_geojson(tmp_path / "r.geojson", of_run(painted_run, None)))
    with pytest.raises(DataError, match="no part of the slide in common; choose two that overlap"):
        compare_runs(one, other, (reference, reference))
    with pytest.raises(DataError, match="nothing of the annotated regions was analysed"):
        evaluate_run(one, reference, analysed=shapely.Polygon())


def test_without_annotated_regions_drawn_ones_are_taken_and_what_is_excluded_does_not_count(
    painted_run: Run, tmp_path: Path
) -> None:
    reference = read(painted_run, write_geojson(tmp_path / "r.geojson", of_run(painted_run, None)))
    rois = [Roi("a", AREA), Roi("b", shapely.box(10, 400, 300, 600))]
    result = evaluate_run(painted_run, reference, rois).result
    assert [each["name"] for each in result["per_area"]] == ["a", "b"]
    assert result["interval95"]["instance"]["bpq"] == [1, 1]
    alike = [Roi("a", roi.polygon) for roi in rois]  # QuPath calls regions by their class
    same = evaluate_run(painted_run, reference, alike).result
    assert (same["areas"], same["bootstrap"]["over"]) == (2, "areas of one slide")
    assert [each["name"] for each in same["per_area"]] == ["a", "a (2)"]
    out = Roi("out", AREA, "exclude")
    fewer = evaluate_run(painted_run, reference, [*rois, out]).result
    assert sum(fewer["reference"].values()) < sum(result["reference"].values())
    far = [Roi("far", shapely.box(5000, 5000, 5100, 5100))]
    with pytest.raises(DataError, match="nothing of the annotated regions was analysed"):
        evaluate_run(painted_run, reference, far)


@pytest.mark.parametrize(
    ("areas", "squares", "words"),
    [
        (1, 1, None),
        (1, 4, "squares of one area, which says nothing of other slides"),
        (3, 3, "areas of one slide"),
        (9, 12, "areas of one slide, then their squares"),
        (10, 12, "areas of one slide"),
    ],
)
def test_what_is_drawn_again_is_said_as_it_is_done(
    areas: int, squares: int, words: str | None
) -> None:
    """From ten areas on their squares are not drawn again, and it was said that they are."""
    assert _resampled(areas, squares) == words
    weights = bootstrap_weights(
        [str(number % areas) for number in range(squares)], np.random.default_rng(0)
    )
    if areas > 1 and words == "areas of one slide":
        assert weights.max() == 1


def test_a_corrected_run_is_a_reference_for_what_the_model_found(
    painted_run: Run, tmp_path: Path
) -> None:
    folder = tmp_path / painted_run.path.parent.name / painted_run.path.name
    shutil.copytree(painted_run.path, folder)
    run = open_run(folder)
    with pytest.raises(DataError, match="no corrections by hand"):
        reference_of_run(run)
    first = run.nuclei().iloc[0]
    new = "neutrophil" if first["class_name"] != "neutrophil" else "macrophage"
    run.journal().correct([int(first["nucleus_id"])], [first["class_name"]], new, by="reader")
    evaluation = evaluate_run(run.as_found(), reference_of_run(run))
    # what nobody has looked at agrees with itself: figures near 1 say nothing of it
    assert any(
        f"A person has named 1 of its {len(run.nuclei()):,} nuclei" in note
        for note in evaluation.result["notes"]
    )
    wrong = evaluation.outcomes[evaluation.outcomes["outcome"] == "wrong class"]
    assert wrong[["reference_class", "called", "nucleus_id"]].to_numpy().tolist() == [
        [new, first["class_name"], int(first["nucleus_id"])]
    ]
    reference = reference_of_run(run)
    both = compare_runs(run.as_found(), run, (reference, reference))
    gained = both["second"]["instance"]["macro_f1"] - both["first"]["instance"]["macro_f1"]
    assert gained > 0
    assert both["difference"]["instance"]["macro_f1"] == pytest.approx(gained)


def test_what_a_person_found_right_is_told_of_a_kept_evaluation_too(
    painted_run: Run, tmp_path: Path
) -> None:
    folder = tmp_path / painted_run.path.parent.name / painted_run.path.name
    shutil.copytree(painted_run.path, folder)
    run = open_run(folder)
    first, second = run.nuclei().iloc[:2].to_dict("records")
    run.journal().correct([int(first["nucleus_id"])], [first["class_name"]], "other", by="reader")
    (reference,) = kept.corrected_runs(tmp_path, [run])
    kept.evaluate_kept(reference, run)
    named = second["class_name"]
    run.journal().correct([int(second["nucleus_id"])], [named], named, by="reader")
    found = kept.kept_evaluation(reference, run)
    assert found is None
    notes = kept.evaluate_kept(reference, run).result["notes"]
    assert any("A person has named 2 of its" in note for note in notes)


def test_what_is_corrected_while_a_run_is_measured_is_not_in_the_kept_figures(
    painted_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They had the version of the names after it, and passed for figures of those."""
    folder = tmp_path / painted_run.path.parent.name / painted_run.path.name
    shutil.copytree(painted_run.path, folder)
    run = open_run(folder)
    run.journal().correct([1], ["lymphocyte"], "other", by="reader")
    (reference,) = kept.corrected_runs(tmp_path, [run])

    def late(*args: Any) -> RunEvaluation:
        found = evaluate_run(*args)
        run.journal().correct([2], ["lymphocyte"], "other", by="reader")
        return found

    monkeypatch.setattr(kept, "evaluate_run", late)
    evaluate_kept(reference, run)
    assert kept.kept_evaluation(reference, run) is None
    monkeypatch.setattr(kept, "evaluate_run", evaluate_run)
    evaluate_kept(reference, run)
    assert kept.kept_evaluation(reference, run) is not None


def test_figures_of_a_run_that_is_made_anew_are_measured_anew(
    painted_run: Run, tmp_path: Path
) -> None:
    """Another engine gives the same run other nuclei; it was shown the figures of those before."""
    run = painted_run
    told = of_run(run)
    content = write_geojson(tmp_path / "r.geojson", told).read_bytes()
    reference = keep_reference(tmp_path, run.slide_id, "r.geojson", content)
    evaluate_kept(reference, run)
    corrected = kept.CorrectedRun(reference.folder, run)
    anew = replace(run, facts=replace(run.facts, seal={**run.facts.seal, "nuclei": "0" * 64}))
    assert kept.kept_evaluation(reference, run) is not None
    assert kept.kept_evaluation(reference, anew) is None
    assert replace(corrected, run=anew).asked != corrected.asked


def test_a_command_measures_a_run_and_tells_mistakes_in_one_sentence(
    painted_run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reference = write_geojson(tmp_path / "r.geojson", of_run(painted_run))
    out = tmp_path / "out.json"
    command = ["evaluate", "--run", str(painted_run.path), "--reference", str(reference)]
    assert cli.main([*command, "--map", "Stroma=none", "--json", str(out)]) == 0
    said = capsys.readouterr().out
    assert "Tumor: Positive is epithelial" in said
    assert "one area alone allows no interval" in said
    result = json.loads(out.read_text())
    assert result["mapping"]["Stroma"] == "none"
    assert result["reference"]["other"] == 0
    for wrong, sentence in (
        (["--map", "Nobody=other"], "has no class 'Nobody'"),
        (["--map", "Stroma=unicorn"], "cannot be mapped to 'unicorn'"),
        (["--map", "Stroma"], "maps nothing"),
        (["--reference-mpp", "-1"], "no size of a pixel"),
        (["--with-run", str(tmp_path)], "there is no run"),
    ):
        assert cli.main([*command, *wrong]) == 1
        told = capsys.readouterr().err.strip()
        assert sentence in told
        assert "\n" not in told
    empty = write_geojson(tmp_path / "empty.geojson", [])
    assert cli.main(["evaluate", "--run", str(painted_run.path), "--reference", str(empty)]) == 1
    assert "holds no outline and no point" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ("--run r --reference f --mpp 0.5", "--mpp would do nothing: a run is measured as it was"),
        ("--run r --reference f --stain macenko --edge 3", "--stain, --edge would do nothing"),
        ("--run r --reference f --predictions p", "--predictions would do nothing"),
        ("--data d --areas f", "--areas would do nothing: it belongs to --run"),
        ("--data d --reference f --with-run r", "--with-run, --reference would do nothing"),
        ("--run r", "--run needs a reference"),
        ("--run r --data d", "give either --data DIR"),
    ],
)
def test_what_would_do_nothing_is_wrong_use(
    asked: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run was measured as if its reference counted in level-0 pixels, whatever --mpp said."""
    with pytest.raises(SystemExit, match="2"):
        cli.main(["evaluate", *asked.split()])
    assert sentence in capsys.readouterr().err


def test_each_option_of_evaluate_is_of_a_run_or_of_images() -> None:
    parser = argparse.ArgumentParser()
    add_evaluate(parser.add_subparsers())
    options = vars(parser.parse_args(["evaluate"]))
    neither = {"run", "parser", "usual_precision"}
    of_both = {"json", "run_folder", "data"}
    assert set(options) - neither - of_both == {*RUN_OPTIONS, *DATA_OPTIONS}
    assert not {*RUN_OPTIONS} & {*DATA_OPTIONS}


def test_a_mask_of_another_size_is_not_guessed_at(painted_run: Run, tmp_path: Path) -> None:
    info = painted_run.facts.slide
    mask = np.zeros((info.height // 2, info.width // 2), np.uint8)
    mask[10:20, 10:20] = 3
    path = tmp_path / "half.png"
    cv2.imwrite(str(path), mask)
    with pytest.raises(DataError, match="state the size of the mask's pixels"):
        read_slide_reference(path, info, 0.25)
    stated = read_slide_reference(path, info, 0.25, 0.5)
    assert shapely.bounds(stated.shapes).tolist() == [[20, 20, 40, 40]]


@pytest.mark.parametrize("corner", [(0, 0), (100, 40)], ids=["whole", "with bounds"])
def test_the_nuclei_that_a_run_exports_are_a_reference_where_they_lie(
    painted_run: Run, tmp_path: Path, corner: tuple[int, int]
) -> None:
    """The CSV counts from the corner of level 0, and was read as if from that of the bounds, without classes."""
    bounds = Region(*corner, 300, 400)
    info = replace(painted_run.facts.slide, bounds=bounds)
    question = replace(painted_run.facts.question, raster=Raster(bounds, 0.25, 1.0))
    run = Run(painted_run.path, replace(painted_run.facts, slide=info, question=question))
    write_nuclei_csv(run, tmp_path / "own.csv")
    table = run.nuclei()
    table = table[table["class_name"] != "other"]
    read = read_slide_reference(tmp_path / "own.csv", info, run.slide_mpp)
    np.testing.assert_allclose(shapely.get_coordinates(read.shapes), table[["x", "y"]].to_numpy())
    assert list(read.names) == table["class_name"].tolist()
    assert read.notes == ()
    reference = map_classes(read, mapping_of(read.class_names, {}, run.scheme), run.scheme)
    assert [run.scheme.name_of(each) for each in reference.classes] == list(read.names)

    write_run_geojson(run, tmp_path / "own.geojson")
    outlines = read_slide_reference(tmp_path / "own.geojson", info, run.slide_mpp)
    assert shapely.intersects(outlines.shapes, shapely.buffer(read.shapes, 2)).all()

    other = replace(info, path=info.path.with_name("other.svs"))
    (note,) = read_slide_reference(tmp_path / "own.csv", other, run.slide_mpp).notes
    assert note == f"own.csv says that its nuclei are of {info.path.name}; this slide is other.svs."
    (note,) = read_slide_reference(tmp_path / "own.csv", info, 2 * run.slide_mpp).notes
    assert note == "own.csv says 0.25 µm/px, but its places were taken as pixels of 0.5 µm."


def test_places_in_um_are_the_same_whatever_pixels_are_stated(
    painted_run: Run, tmp_path: Path
) -> None:
    """They were scaled by the size that somebody stated, twice."""
    path = tmp_path / "dots.csv"
    path.write_text("x_um,y_um,class\n25,10,epithelial\n")
    for stated in (None, 0.25, 0.5):
        read = read_slide_reference(path, painted_run.facts.slide, 0.25, stated)
        assert shapely.get_coordinates(read.shapes).tolist() == [[100, 40]]


def test_squares_of_til_scores_are_no_reference(painted_run: Run, tmp_path: Path) -> None:
    path = tmp_path / "til.csv"
    path.write_text("slide,run,part,x_px,y_px,side_px\na,b,c,0,0,100\n")
    with pytest.raises(DataError, match="squares of TIL scores and no nuclei"):
        read_slide_reference(path, painted_run.facts.slide, 0.25)


def test_a_hole_and_parts_of_a_multipolygon_are_kept(painted_run: Run, tmp_path: Path) -> None:
    ring = shapely.box(10, 10, 30, 30).difference(shapely.box(15, 15, 25, 25))
    several = shapely.MultiPolygon([ring, shapely.box(50, 50, 60, 60)])
    path = write_geojson(tmp_path / "r.geojson", [feature(several, "Tumor")])
    reference = read_slide_reference(path, painted_run.facts.slide, 0.25)
    assert shapely.area(reference.shapes).tolist() == [300, 100]


def test_a_reference_that_cannot_be_read_is_to_be_exported_again(
    tmp_path: Path, painted_run: Run
) -> None:
    path = tmp_path / "labels.geojson"
    path.write_text("{", "utf-8")
    with pytest.raises(DataError, match=r"as GeoJSON \(.*\); export the reference again\.$"):
        read_slide_reference(path, painted_run.facts.slide, 0.25)


@pytest.fixture
def eosinophils(painted_run: Run, tmp_path: Path) -> Run:
    """The painted run, its macrophages called by a class that the model does not have."""
    folder = tmp_path / "own" / painted_run.run_id
    shutil.copytree(painted_run.path, folder)
    run = open_run(folder)
    write_own_classes(folder, [NucleusClass(1, "eosinophil", "#123456")])
    table = run.nuclei()
    ids = table[table["class_name"] == "macrophage"]["nucleus_id"].astype(int).tolist()
    run.journal().correct(ids, ["macrophage"] * len(ids), "eosinophil", by="reader")
    return run


def test_runs_of_different_classes_are_each_measured_among_their_own(
    painted_run: Run, eosinophils: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second was measured by the numbers that the classes have in the first, or not at all."""
    features = of_run(painted_run)
    for each in features:
        if each["properties"].get("classification") == {"name": "Histiocytes"}:
            each["properties"]["classification"] = {"name": "Eosinophils"}
    file = write_geojson(tmp_path / "r.geojson", features)
    kept = keep_reference(tmp_path, painted_run.slide_id, file.name, file.read_bytes())
    pairs = [(painted_run, eosinophils), (eosinophils, painted_run)]
    for number, (first, second) in enumerate(pairs):
        both = compare_kept(kept, first, second)
        of = {run.path: both[name] for run, name in ((first, "first"), (second, "second"))}
        assert of[eosinophils.path]["instance"]["f1"]["eosinophil"] == 1
        assert of[painted_run.path]["instance"]["f1"]["epithelial"] == 1
        assert both["difference"] is None
        out = tmp_path / f"{number}.json"
        runs = ["--run", str(first.path), "--with-run", str(second.path)]
        command = ["evaluate", *runs, "--reference", str(file), "--json", str(out)]
        assert cli.main([*command, "--map", "Stroma=none"]) == 0
        said = capsys.readouterr().out
        assert "Eosinophils is none" in said
        assert "Eosinophils is eosinophil" in said
        named = ("first", "second")[first is painted_run]
        assert json.loads(out.read_text())[named]["instance"]["f1"]["eosinophil"] == 1


def test_what_was_decided_for_a_run_with_other_classes_costs_another_run_nothing(
    painted_run: Run, eosinophils: Run, tmp_path: Path
) -> None:
    """The page showed what is guessed instead, and then refused it."""
    file = write_geojson(tmp_path / "r.geojson", of_run(painted_run))
    kept = keep_reference(tmp_path, painted_run.slide_id, file.name, file.read_bytes())
    kept = kept.with_mapping({"Histiocytes": "eosinophil"})
    assert evaluate_kept(kept, eosinophils).result["instance"]["f1"]["eosinophil"] == 1
    assert evaluate_kept(kept, painted_run).result["instance"]["f1"]["macrophage"] == 1


def test_the_command_tells_the_figures_of_dots_by_the_classes_of_the_run(
    eosinophils: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Those of the model's classes alone were printed."""
    points = [
        feature(shapely.Point(row.x, row.y), row.class_name)
        for row in eosinophils.nuclei().itertuples()
    ]
    file = write_geojson(tmp_path / "dots.geojson", points)
    assert cli.main(["evaluate", "--run", str(eosinophils.path), "--reference", str(file)]) == 0
    said = capsys.readouterr().out
    assert "f1 eosinophil" in said
    assert "in 1 area, all that was analysed" in said


def test_dots_of_no_known_class_make_no_nucleus_spurious(painted_run: Run, tmp_path: Path) -> None:
    points = [
        feature(shapely.Point(row.x, row.y), THEIRS[row.class_name])
        for row in painted_run.nuclei().itertuples()
    ]
    reference = read(painted_run, write_geojson(tmp_path / "dots.geojson", points), Stroma="none")
    evaluation = evaluate_run(painted_run, reference)
    assert set(evaluation.outcomes["outcome"]) == {"found"}
    assert evaluation.result["dots"]["detection_f1"] == 1
    assert evaluation.result["dots"]["predicted"]["other"] == 0
