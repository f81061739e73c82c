"""A cohort as one document: its figures are those of the table and of the comparison."""

import json
import re
import shutil
from dataclasses import replace
from html import unescape
from pathlib import Path

import pandas as pd
import pypdf
import pytest
import shapely
from PIL import Image

from seg_core import commands as cli
from seg_core.cohort import report
from seg_core.cohort.catalog import RunCatalog
from seg_core.cohort.compare import compare_groups
from seg_core.cohort.journal import Journal, Outcome
from seg_core.cohort.plan import CohortQuestion, Item
from seg_core.cohort.report import write_cohort_report
from seg_core.cohort.run_rows import OUTDATED_SCORE
from seg_core.cohort.settings_words import settings_in_words
from seg_core.cohort.til_maps import MAP_FILE, mosaic
from seg_core.errors import CohortError, ExportError
from seg_core.files.sealed import SEAL
from seg_core.roi import Roi
from seg_core.scoring.assessment import assess, keep_scores
from seg_core.settings import AnalysisSettings
from seg_core.store import Run, Store, open_run
from seg_core.store.answer import Answer, write_answer

SENTENCE = "secret-9.svs is no slide; open another file."


@pytest.fixture(scope="module")
def store(painted_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four patients in each of two groups, with lymphocytes that grow in number, and a bad slide."""
    store = tmp_path_factory.mktemp("report")
    journal, settings = Journal(store, "trial"), AnalysisSettings(views=2, stain="macenko")
    items = [
        Item(Path(f"/secret-{number}.svs"), patient=f"MRN{number}", group="AB"[number // 4])
        for number in range(8)
    ]
    items.append(Item(Path("/secret-9.svs"), patient="MRN9", group="B"))
    keys = journal.write_plan(items, CohortQuestion("painted", "0" * 64, settings))
    for number, key in enumerate(keys):
        if number == 8:
            journal.record(Outcome(key, "failed", error=SENTENCE))
            continue
        folder = store / f"s{number}" / painted_run.run_id
        folder.mkdir(parents=True)
        facts = painted_run.facts
        facts = replace(facts, counts={**facts.counts, "lymphocyte": 10 * number})
        (folder / "run.json").write_text(json.dumps(facts.to_json()))
        Image.new("RGB", (40, 30), (0, 128, 0)).save(folder / MAP_FILE)
        run = folder.relative_to(store).as_posix()
        journal.record(Outcome(key, "finished", run))
    return store


def html_text(path: Path) -> str:
    """What a reader sees, without plots."""
    html = re.sub(r"<script.*?</script>|<style.*?</style>", "", path.read_text(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)))


def pdf_text(path: Path) -> str:
    return re.sub(
        r"\s+", " ", " ".join(page.extract_text() for page in pypdf.PdfReader(path).pages)
    )


@pytest.mark.parametrize("suffix", ["html", "pdf"])
def test_both_ways_say_who_is_in_it_how_groups_differ_and_what_went_wrong(
    store: Path, tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"trial.{suffix}"
    write_cohort_report(store, "trial", path)
    text = html_text(path) if suffix == "html" else pdf_text(path)
    table = RunCatalog(Store(store)).cohort("trial")
    row = compare_groups(table, ["lymphocyte_per_mm2"]).iloc[0]
    assert "9 slides of 9 patients" in text
    assert "1 of 9 slides has no result" in text
    assert "lymphocyte per mm²" in text
    assert "4 patients, 4 slides" in text
    assert "A – B" in text
    assert f"{row['p']:.3f}" in text
    interval = f"-1.00 ({row['delta_low']:.2f} to {row['delta_high']:.2f})"
    assert interval.replace("-", "−") in text
    assert interval not in text
    assert all(f"secret-{number}.svs" in text for number in range(8))
    assert "is no slide; open another file." in text
    assert f"µm per pixel {table['mpp'].max():g} (8 slides)" in text
    assert "each in 2 views" in text
    assert "by Macenko's method" in text
    assert "TIL maps" in text


def test_regions_of_a_slide_are_not_counted_as_slides(painted_run: Run, tmp_path: Path) -> None:
    """Two slides with three regions each were "6 slides of 2 patients"."""
    store, journal = tmp_path / "store", Journal(tmp_path / "store", "trial")
    x, y, *_ = painted_run.region.to_json()
    items = [
        Item(
            Path(f"/slide-{number}.svs"),
            roi=Roi(f"nest {place}", shapely.box(x, y, x + 10 + place, y + 10)),
            patient=f"P{number}",
            group="A",
        )
        for number in range(2)
        for place in range(3)
    ]
    for key in journal.write_plan(items, CohortQuestion("painted", "0" * 64))[:1]:
        journal.record(Outcome(key, "failed", error=SENTENCE))
    path = tmp_path / "trial.html"
    write_cohort_report(store, "trial", path)
    text = html_text(path)
    assert "2 slides with 6 ROIs of 2 patients" in text
    assert "1 of 6 analyses has no result" in text
    assert "2 patients, 2 slides with 6 ROIs" in text
    assert "analyses waiting 5" in text


def test_why_a_slide_has_no_score_is_told(painted_run: Run, tmp_path: Path) -> None:
    """There was a dash, whether the slide cannot be scored or its score is of before a correction."""
    store, folder = tmp_path / "store", f"{painted_run.path.parent.name}/{painted_run.run_id}"
    run = open_run(Path(shutil.copytree(painted_run.path, store / folder)))
    scores = assess(run)
    assert scores.reason is not None
    keep_scores(run, scores)
    journal = Journal(store, "trial")
    (key,) = journal.write_plan([Item(run.slide_path)], CohortQuestion("painted", "0" * 64))
    journal.record(Outcome(key, "finished", folder))
    path = tmp_path / "trial.html"
    write_cohort_report(store, "trial", path)
    assert f"No TIL score: {scores.reason}" in html_text(path)
    first = run.nuclei().iloc[0]
    run.journal().correct([first["nucleus_id"]], [first["class_name"]], None, by="Ada")
    write_cohort_report(store, "trial", path, force=True)
    assert f"No TIL score: {OUTDATED_SCORE}" in html_text(path)


def test_no_word_of_a_heading_is_broken_on_paper(store: Path, tmp_path: Path) -> None:
    """It read "adjuste" and below it "d"."""
    path = tmp_path / "trial.pdf"
    write_cohort_report(store, "trial", path)
    words = " ".join(page.extract_text() for page in pypdf.PdfReader(path).pages).split()
    assert {"adjusted", "phenotype", "finished"} <= set(words)


def test_what_has_to_be_known_of_a_sample_stands_in_the_report(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        report, "sample_note", lambda path: "It is a mosaic." if "secret-3" in path.name else None
    )
    path = tmp_path / "trial.html"
    write_cohort_report(store, "trial", path)
    assert "secret-3.svs: It is a mosaic." in html_text(path)
    assert html_text(path).count("It is a mosaic.") == 1


def test_the_plot_of_groups_and_the_maps_are_inside_the_file(store: Path, tmp_path: Path) -> None:
    path = tmp_path / "trial.html"
    write_cohort_report(store, "trial", path)
    html = path.read_text()
    assert "A (n = 4)" in html
    assert "src=" not in re.sub(
        r'src="data:[^"]+"', "", re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL)
    )
    pdf = tmp_path / "trial.pdf"
    write_cohort_report(store, "trial", pdf)
    assert sum(len(page.images) for page in pypdf.PdfReader(pdf).pages) == 2


def test_an_anonymous_report_names_neither_slides_nor_patients(store: Path, tmp_path: Path) -> None:
    path = tmp_path / "trial.html"
    write_cohort_report(store, "trial", path, anonymous=True)
    text = path.read_text()
    assert not re.search(r"secret-\d", text)
    assert not re.search(r"MRN\d", text)
    assert "patient 1" in text


def test_an_anonymous_report_does_not_name_the_files_of_regions(
    painted_run: Run, tmp_path: Path
) -> None:
    """They are mostly called as their slides or patients are."""
    folder = tmp_path / painted_run.slide_id / painted_run.run_id
    shutil.copytree(painted_run.path, folder)
    journal = Journal(tmp_path, "trial")
    note = (
        "1 entry of MRN7.geojson was left out, since the outline of the ROI 'Doe' crosses itself."
    )
    items = [Item(painted_run.slide_path, note=note), Item(Path("/later.svs"), note=note)]
    keys = journal.write_plan(items, CohortQuestion("painted", "0" * 64))
    run = folder.relative_to(tmp_path).as_posix()
    journal.record(Outcome(keys[0], "finished", run))
    for name, anonymous in (("named", False), ("numbered", True)):
        path = tmp_path / f"{name}.html"
        write_cohort_report(tmp_path, "trial", path, anonymous=anonymous)
        text = html_text(path)
        assert ("MRN7" in text) == ("Doe" in text) == (not anonymous)
        assert ("slide 2: something of the file of its ROIs was left out." in text) == anonymous


def test_a_cohort_without_groups_has_a_report_that_says_so(
    painted_run: Run, tmp_path: Path
) -> None:
    question = CohortQuestion("painted", "0" * 64, context_head="c" * 64)
    Journal(tmp_path, "alone").write_plan([Item(painted_run.slide_path)], question)
    write_cohort_report(tmp_path, "alone", tmp_path / "alone.html")
    assert "Nothing is compared" in html_text(tmp_path / "alone.html")
    assert f"SHA-256 of the context head {'c' * 64}" in html_text(tmp_path / "alone.html")
    write_cohort_report(tmp_path, "alone", tmp_path / "alone.pdf")
    with pytest.raises(CohortError, match="no column 'stage'"):
        write_cohort_report(tmp_path, "alone", tmp_path / "b.html", measures=["nuclei"], by="stage")
    assert not (tmp_path / "b.html").exists()
    with pytest.raises(ExportError, match="exists already"):
        write_cohort_report(tmp_path, "alone", tmp_path / "alone.html")


def test_who_named_the_nuclei_of_some_slides_is_told_whatever_was_asked(
    painted_run: Run, tmp_path: Path
) -> None:
    """A cohort without a classifier did not say that another had answered its slides."""
    folder = tmp_path / painted_run.path.parent.name / painted_run.run_id
    shutil.copytree(painted_run.path, folder)
    journal = Journal(tmp_path, "trial")
    item = Item(painted_run.slide_path, group="A")
    (key,) = journal.write_plan([item], CohortQuestion("painted", "0" * 64))
    journal.record(Outcome(key, "finished", folder.relative_to(tmp_path).as_posix()))
    write_cohort_report(tmp_path, "trial", tmp_path / "before.html")
    before = html_text(tmp_path / "before.html")
    assert "taught classifier" not in before
    assert "group A 1 slide" in before, "no patient is named"
    ids = painted_run.nuclei()["nucleus_id"]
    table = pd.DataFrame({"nucleus_id": ids, "class_name": "other", "class_score": 0.5})
    names = painted_run.scheme.names_with_other
    write_answer(folder, Answer("mine", painted_run.scheme, names, table))
    write_cohort_report(tmp_path, "trial", tmp_path / "after.html")
    assert "classes by the taught classifier mine (1 slide)" in html_text(tmp_path / "after.html")


def test_a_patient_in_two_groups_does_not_cost_the_report(store: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(store, tmp_path / "copy")
    file = Journal(copy, "trial").folder / "cohort.json"
    plan = json.loads(file.read_text())
    plan["items"][0]["patient"] = "MRN7"
    plan.pop(SEAL)
    file.write_text(json.dumps(plan))
    write_cohort_report(copy, "trial", tmp_path / "trial.html")
    text = html_text(tmp_path / "trial.html")
    assert "Nothing is compared: the patient MRN7 is in the groups A and B" in text
    assert "secret-0.svs" in text
    with pytest.raises(CohortError, match="is in the groups"):
        write_cohort_report(copy, "trial", tmp_path / "b.html", measures=["count_lymphocyte"])


def test_where_patients_are_too_few_for_an_interval_the_report_says_so(
    store: Path, tmp_path: Path
) -> None:
    """Three against four had one that was called 95 % and is not."""
    copy = shutil.copytree(store, tmp_path / "copy")
    file = Journal(copy, "trial").folder / "cohort.json"
    plan = json.loads(file.read_text())
    plan["items"][0]["group"] = None
    plan.pop(SEAL)
    file.write_text(json.dumps(plan))
    write_cohort_report(copy, "trial", tmp_path / "trial.html", measures=["count_lymphocyte"])
    text = html_text(tmp_path / "trial.html")
    assert "−35 (no interval)" in text
    assert "−1.00 (no interval)" in text
    assert "No intervals: 3 and 4 patients are too few for 95 % intervals" in text
    assert "No test" not in text


def test_the_command_writes_it_and_refuses_other_formats(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["catalog", str(store), "--cohort", "trial", "--report"]
    assert cli.main([*command, str(tmp_path / "a.pdf"), "--compare", "count_lymphocyte"]) == 0
    assert "lymphocyte, count" in pdf_text(tmp_path / "a.pdf")
    assert cli.main([*command, str(tmp_path / "a.docx")]) == 1
    assert "a.docx ends in neither .html nor .pdf" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        cli.main(["catalog", str(store), "--report", "a.pdf"])
    assert "--report needs --cohort NAME" in capsys.readouterr().err


def test_maps_are_laid_out_twenty_a_picture(store: Path) -> None:
    (file,) = list(store.glob(f"s0/*/{MAP_FILE}"))
    sheets = list(mosaic([("a slide with quite a long name of forty letters and more", file)] * 21))
    assert len(sheets) == 2
    assert sheets[0].width > sheets[1].width
    assert sheets[1].getpixel((100, 100))[1] > 100


def test_settings_of_another_version_are_left_out() -> None:
    assert settings_in_words({"tiles": 3}) == []
    assert any(
        "glass" not in each and "All was looked at" in each
        for each in settings_in_words(AnalysisSettings(tissue_only=False).to_json())
    )
