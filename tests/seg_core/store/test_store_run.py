import json
from dataclasses import replace
from pathlib import Path

import platformdirs
import pytest
import shapely

from seg_core.classes import MONUSAC
from seg_core.errors import StoreError
from seg_core.files.locks import locked
from seg_core.geometry import Raster, Region, Window
from seg_core.question import Question
from seg_core.roi import Roi
from seg_core.settings import AnalysisSettings
from seg_core.slide import SlideInfo
from seg_core.slide.normalisation import ReinhardFit
from seg_core.store import RunFacts, RunWriter, Store, default_store, open_run

WHOLE = Region(100, 50, 4000, 2000)
TRIANGLE = shapely.Polygon(
    [(200, 100), (600, 100), (200, 500)], [[(250, 150), (300, 150), (250, 200)]]
)
QUESTION = Question(
    slide_id="slide-0123456789ab",
    raster=Raster(WHOLE, mpp=0.25, downsample=0.5),
    region=Region(200, 100, 400, 400),
    roi=Roi("tumour", TRIANGLE),
    model="fast",
    model_sha256="ab" * 32,
    settings=AnalysisSettings(),
)
FACTS = RunFacts(
    question=QUESTION,
    slide=SlideInfo(
        path=Path("/slides/a slide.svs"),
        width=5000,
        height=2500,
        mpp=0.5,
        level_downsamples=(1.0, 4.0),
        vendor="aperio",
        objective_power=20.0,
        bounds=WHOLE,
    ),
    scheme=MONUSAC,
    status="finished",
    engine="torch",
    precision="bf16",
    versions={"numpy": "2.0"},
    started="2026-01-02T03:04:05+00:00",
    finished="2026-01-02T03:05:05+00:00",
    seconds=60.5,
    megapixels=0.64,
    tissue_um2=1234.5,
    counts={"epithelial": 3, "other": 1},
    warnings=("a fold was left out.",),
    stain=ReinhardFit((60.0, 20.0, -10.0), (15.0, 8.0, 5.0)),
    peak_rss_mb=812.4,
)


def test_facts_survive_the_file(tmp_path: Path) -> None:
    run = RunWriter(tmp_path).write_facts(FACTS)
    assert open_run(tmp_path) == run
    assert run.facts == FACTS
    entries = json.loads((tmp_path / "run.json").read_text())
    assert entries["slide"]["name"] == "a slide.svs"
    assert entries["region"] == [200, 100, 400, 400]
    assert entries["raster"] == {"region": [100, 50, 4000, 2000], "mpp": 0.25, "downsample": 0.5}
    assert entries["classes"][0] == {"id": 1, "name": "epithelial", "colour": "#e69f00"}


def test_the_slide_of_a_run_is_found_from_any_folder(tmp_path: Path) -> None:
    """A command that named it from where it was leaves runs whose slide was gone elsewhere."""
    there = replace(FACTS, slide=replace(FACTS.slide, path=Path("slides/a.svs")))
    assert RunFacts.from_json(there.to_json()).slide.path == Path.cwd() / "slides/a.svs"


def test_a_run_from_before_stain_was_recorded_can_still_be_read(tmp_path: Path) -> None:
    RunWriter(tmp_path).write_facts(FACTS)
    entries = json.loads((tmp_path / "run.json").read_text())
    del entries["stain"], entries["settings"]["stain"], entries["settings"]["quality"]
    del entries["seal"], entries["checksum"]  # neither were checksums
    (tmp_path / "run.json").write_text(json.dumps(entries))
    assert open_run(tmp_path).facts == replace(FACTS, stain=None)


def test_a_run_answers_for_its_question(tmp_path: Path) -> None:
    run = RunWriter(tmp_path).write_facts(FACTS)
    assert run.window == Window(200, 100, 800, 800)
    assert run.slide_path == Path("/slides/a slide.svs")
    assert run.scheme == MONUSAC
    # triangle of 400 × 400 / 2 less a hole of 50 × 50 / 2, pixels of 0.5 µm
    assert run.facts.question.area_um2 == pytest.approx((80_000 - 1250) * 0.25)
    assert replace(QUESTION, roi=None).area_um2 == pytest.approx(160_000 * 0.25)


@pytest.mark.parametrize(
    "change",
    [
        {"region": Region(200, 100, 400, 401)},
        {"roi": None},
        {"roi": Roi("tumour", shapely.box(200, 100, 600, 500))},
        {"raster": Raster(WHOLE, mpp=0.5, downsample=1.0)},
        {"model_sha256": "cd" * 32},
        {"settings": AnalysisSettings(precision="fp32")},
        {"settings": AnalysisSettings(engine="torch")},
        {"settings": AnalysisSettings(tile_px=512)},
        {"settings": AnalysisSettings(stain="macenko")},
        {"settings": AnalysisSettings(quality=False)},
    ],
)
def test_another_question_has_another_id(change: dict[str, object]) -> None:
    assert replace(QUESTION, **change).run_id != QUESTION.run_id  # type: ignore[arg-type]


def test_what_does_not_change_the_answer_does_not_change_the_id() -> None:
    turned = shapely.Polygon(
        [(200, 500), (200, 100), (600, 100)], [[(300, 150), (250, 150), (250, 200)]]
    )
    same = replace(QUESTION, model="alias", roi=Roi("another name", turned))
    assert same.run_id == QUESTION.run_id
    assert Store(Path("store")).folder(same) == Path("store/slide-0123456789ab") / QUESTION.run_id


def test_running_without_a_process_is_stopped(tmp_path: Path) -> None:
    RunWriter(tmp_path).write_facts(replace(FACTS, status="running"))
    assert open_run(tmp_path).status == "stopped"
    with locked(tmp_path):
        assert open_run(tmp_path).status == "running"


def test_runs_of_a_slide_come_latest_first_and_damaged_ones_are_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert Store(tmp_path).runs("slide") == []
    for name, started in (("a", "2026-01-01"), ("b", "2026-01-03"), ("c", "2026-01-02")):
        (tmp_path / "slide" / name).mkdir(parents=True)
        RunWriter(tmp_path / "slide" / name).write_facts(replace(FACTS, started=started))
    (tmp_path / "slide/c/run.json").write_text("{")
    assert [run.path.name for run in Store(tmp_path).runs("slide")] == ["b", "a"]
    assert "is damaged" in caplog.text


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "there is no run in .*; give the folder that analyse has named"),
        ("{", "run.json is missing or damaged; start the same analysis again"),
        ("[]", "run.json is missing or damaged"),
        ('{"format": 1}', "run.json is missing or damaged"),
        ('{"format": 0}', r"another version of this program \(format 0, this one reads 1\)"),
    ],
)
def test_a_folder_that_is_no_run_is_refused_in_words(
    tmp_path: Path, text: str | None, sentence: str
) -> None:
    if text is not None:
        (tmp_path / "run.json").write_text(text)
    with pytest.raises(StoreError, match=sentence):
        open_run(tmp_path)


@pytest.mark.parametrize("status", ["stopped", "failed"])
def test_only_a_finished_run_has_nuclei(tmp_path: Path, status: str) -> None:
    run = RunWriter(tmp_path).write_facts(replace(FACTS, status=status))  # type: ignore[arg-type]
    with pytest.raises(StoreError, match=f"is {status} and has no nuclei yet; start the same"):
        run.nuclei()
    with pytest.raises(StoreError, match=f"is {status} and has no nuclei yet; start the same"):
        run.nuclei_in_parts()


def test_the_store_is_what_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SEG_STORE", str(tmp_path))
    assert default_store() == tmp_path
    monkeypatch.delenv("SEG_STORE")
    assert platformdirs.user_data_path() in default_store().parents
