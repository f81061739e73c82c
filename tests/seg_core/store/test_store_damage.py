"""Damage to a run's files is named; it never reads as a result, and asking again mends it."""

import json
import shutil
from contextlib import suppress
from pathlib import Path

import painted_slides
import pytest
from analysed_runs import stop_after
from painted_slides import SMALL_TILES

from seg_core import commands as cli
from seg_core.analysis import analyse
from seg_core.errors import JobCancelled, StoreError
from seg_core.geometry import Window
from seg_core.store import Run, Store, open_run
from tests.files_found import files_found


@pytest.fixture
def run(painted_run: Run, tmp_path: Path) -> Run:
    """A finished run to damage."""
    folder = tmp_path / "store" / painted_run.slide_id / painted_run.run_id
    shutil.copytree(painted_run.path, folder)
    return open_run(folder)


def files_of(run: Run, pattern: str) -> list[Path]:
    return sorted(path for path in run.path.glob(pattern) if path.is_file())


def read_all(run: Run) -> None:
    """Read what pages and exports read."""
    again = open_run(run.path)
    maps = again.maps()
    for level in range(maps.level_count):
        maps.read(Window(0, 0, *reversed(maps.level_shape(level))), level)
    for level in range(2, maps.share_level_count):
        for name in ("class", "ternary", "score"):
            maps.read_shares(name, Window(0, 0, 64, 64), level)
    again.nuclei()
    list(again.nuclei_in_parts())


def test_a_whole_run_is_whole(run: Run) -> None:
    read_all(run)
    assert run.damage() == []
    assert list(Store(run.path.parents[1]).damage()) == []


@pytest.mark.parametrize("change", ["delete", "empty", "cut", "flip", "add"])
@pytest.mark.parametrize(
    "pattern",
    [
        *("run.json", "nuclei.parquet", "maps.zarr/maps/0/c/0/0/0", "maps.zarr/shares/2/c/0/*/0"),
        *("maps.zarr/maps/zarr.json", "maps.zarr/shares/2/zarr.json"),
    ],
)
def test_damage_to_any_file_is_one_sentence(run: Run, pattern: str, change: str) -> None:
    path = files_of(run, pattern)[0]
    content = bytearray(path.read_bytes())
    if change == "flip":
        content[len(content) // 2] ^= 0x10
    elif change == "cut":
        del content[len(content) // 2 :]
    elif change == "add":
        content += b"more"
    elif change == "empty":
        content = bytearray()
    if change == "delete":
        path.unlink()
    else:
        path.write_bytes(content)
    named = list(Store(run.path.parents[1]).damage())
    if not (pattern == "run.json" and change == "delete"):  # a folder without it is no run
        assert len(named) == 1
    if pattern.endswith("zarr.json") and change == "flip":
        with suppress(StoreError):  # it may be a byte of a description that nobody reads
            read_all(run)
        return
    with pytest.raises(StoreError) as caught:
        read_all(run)
    assert str(caught.value).startswith((str(run.path), "there is no run"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["nuclei.parquet", "run.json", "maps.zarr/maps/0/c/0/0/0"])
def test_asking_again_makes_a_damaged_run_anew(
    run: Run, painted_slide: Path, painted_run: Run, painted_engines, name: str
) -> None:
    (run.path / name).write_bytes(b"damaged")
    again = analyse(
        painted_slide, run.path.parents[1], mpp=painted_slides.MPP, settings=SMALL_TILES
    )
    assert again.path == run.path
    assert again.facts.counts == painted_run.facts.counts
    assert again.damage() == []
    assert again.nuclei().equals(painted_run.nuclei())


@pytest.mark.parametrize("change", ["delete", "empty", "flip"])
@pytest.mark.parametrize(
    "pattern",
    [
        *("maps.zarr/maps/0/c/0/0/0", "maps.zarr/maps/1/c/*/0/0", "maps.zarr/shares/2/c/0/*/0"),
        *("maps.zarr/shares/2/zarr.json", "pieces/*.npy"),
    ],
)
def test_a_stopped_analysis_makes_again_what_was_damaged_since(
    tmp_path: Path,
    painted_slide: Path,
    painted_run: Run,
    painted_engines,
    pattern: str,
    change: str,
) -> None:
    """A power failure takes what was not yet on the disk; a bad disk changes what was.

    A chunk of the finest level that could not be unpacked ended the analysis in a traceback, a
    lost one of the shares and a changed feature stood in the result.
    """
    options = {"mpp": painted_slides.MPP, "settings": SMALL_TILES}
    with pytest.raises(JobCancelled):
        analyse(painted_slide, tmp_path, report=stop_after(0, "nuclei"), **options)
    path = max(tmp_path.glob(f"*/*/{pattern}"), key=lambda each: each.stat().st_size)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.unlink() if change == "delete" else path.write_bytes(b"" if change == "empty" else content)
    run = analyse(painted_slide, tmp_path, **options)
    assert run.facts.counts == painted_run.facts.counts
    assert contents_of(run) == contents_of(painted_run)


@pytest.mark.parametrize("lost", ["one", "all"])
def test_pieces_that_are_damaged_cost_no_other_rows(
    tmp_path: Path, painted_slide: Path, painted_run: Run, painted_engines, lost: str
) -> None:
    """One damaged file of pieces discarded all maps."""
    options = {"mpp": painted_slides.MPP, "settings": SMALL_TILES}
    with pytest.raises(JobCancelled):
        analyse(painted_slide, tmp_path, report=stop_after(0, "nuclei"), **options)
    (engine,) = painted_engines
    asked = engine.tiles
    (folder,) = tmp_path.glob("*/*/pieces")
    if lost == "one":
        max(folder.iterdir(), key=lambda each: each.stat().st_size).write_bytes(b"damaged")
    else:
        shutil.rmtree(folder)
    run = analyse(painted_slide, tmp_path, **options)
    assert contents_of(run) == contents_of(painted_run)
    again = engine.tiles - asked
    assert 0 < again < asked / 2 if lost == "one" else again == asked


def contents_of(run: Run) -> dict[str, bytes]:
    """All that stands in a run's maps and its table."""
    return {
        path.relative_to(run.path).as_posix(): path.read_bytes()
        for pattern in ("maps.zarr/**/*", "nuclei.parquet")
        for path in files_of(run, pattern)
    }


@pytest.mark.parametrize(
    "record", [b"", b"{", b"[]", b'{"finished": []}', b"\x80", b'{"finished": 5, "to_halve": 1}']
)
def test_a_damaged_record_of_bands_starts_the_maps_again(
    tmp_path: Path, painted_slide: Path, painted_run: Run, painted_engines, record: bytes
) -> None:
    options = {"mpp": painted_slides.MPP, "settings": SMALL_TILES}
    with pytest.raises(JobCancelled):
        analyse(painted_slide, tmp_path, report=stop_after(0, "nuclei"), **options)
    next(tmp_path.glob("*/*/bands.json")).write_bytes(record)
    run = analyse(painted_slide, tmp_path, **options)
    assert run.facts.counts == painted_run.facts.counts


@pytest.mark.parametrize("case", ["fuzz-runjson", "fuzz-bands", "fuzz-parquet", "fuzz-maps"])
def test_the_damaged_files_of_before_are_refused(shared_cases: Path, run: Run, case: str) -> None:
    places = {
        "fuzz-runjson": ["run.json"],
        "fuzz-bands": ["bands.json"],
        "fuzz-parquet": ["nuclei.parquet"],
        "fuzz-maps": ["maps.zarr/maps/0/c/0/0/0", "maps.zarr/shares/2/c/0/0/0"],
    }
    for file in files_found(shared_cases / "hostile" / case, "*/*"):
        if file.name in ("README", "NOTE") or "other-result" in file.parent.name:
            continue
        for place in places[case]:
            path = run.path / place
            before = path.read_bytes()
            shutil.copyfile(file, path)
            if case == "fuzz-bands":  # which a finished run needs no more
                read_all(run)
            else:
                with pytest.raises(StoreError, match="start the same analysis again"):
                    read_all(run)
            path.write_bytes(before)


def test_check_tells_what_is_damaged(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    store = run.path.parents[1]
    assert cli.main(["check", str(store)]) == 0
    assert capsys.readouterr().out == f"{store}: 1 run can be read, 0 files are damaged.\n"
    nuclei = run.path / "nuclei.parquet"
    nuclei.write_bytes(nuclei.read_bytes() + b"x")
    assert cli.main(["check", str(store)]) == 1
    assert capsys.readouterr().out == (
        f"{nuclei} is damaged.\n{store}: 1 run can be read, 1 file is damaged.\n"
    )


def test_check_wants_a_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", str(tmp_path / "nowhere")]) == 1
    assert "there is no store in" in capsys.readouterr().err


def test_values_of_run_json_are_never_believed_once_changed(run: Run) -> None:
    file = run.path / "run.json"
    entries = json.loads(file.read_text("utf-8"))
    entries["counts"]["lymphocyte"] += 1
    file.write_text(json.dumps(entries), "utf-8")
    with pytest.raises(StoreError, match=r"run\.json is missing or damaged"):
        open_run(run.path)
