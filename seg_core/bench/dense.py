"""What dense tissue costs against the bench's usual one: nuclei are work too."""

from statistics import median
from typing import Any

from seg_core.bench.measure import Setup, TimedAnalysis, timed_analysis
from seg_core.bench.region import write_region
from seg_core.files.temporary import temporary_folder
from seg_core.model import find_model
from seg_core.process.progress import CountCallback


def measure_dense(
    model: str | None, setups: list[Setup], *, side_px: int, rounds: int, report: CountCallback
) -> list[dict[str, Any]]:
    """Time whole analyses of the usual and of dense tissue, in turns.

    Parameters
    ----------
    model : str or None
    setups : list of Setup
        Not the baseline, which finds no nuclei.
    side_px : int
        Of both regions.
    rounds : int
        How often each is timed; figures are medians.
    report : callable
        Called with the number of steps done and of all.

    Returns
    -------
    rows : list of dict
        One of each setup: ``engine``, ``precision``, ``tile``; of both regions, the usual one
        first, ``nuclei_per_mpx``, ``s_per_mm2`` and ``cpu_s_per_mm2``, which is processor time of
        all cores; ``ratio`` and ``cpu_ratio`` of dense to usual.
    """
    mpp = find_model(model)[0].mpp
    steps = [(setup, number) for _ in range(rounds) for setup in setups for number in (0, 1)]
    seen: dict[tuple[Setup, int], list[TimedAnalysis]] = {step: [] for step in steps}
    with temporary_folder() as folder:
        regions = [
            write_region(folder / f"{dense}.tif", side_px, mpp, dense=dense)
            for dense in (False, True)
        ]
        for done, step in enumerate(steps, start=1):
            setup, number = step
            with temporary_folder() as runs:
                timed = timed_analysis(regions[number], model, setup.settings(), runs)
            seen[step].append(timed)
            report(done, len(steps))
    return [
        _row(setup, [seen[setup, number] for number in (0, 1)], side_px, mpp) for setup in setups
    ]


def _row(setup: Setup, both: list[list[TimedAnalysis]], side_px: int, mpp: float) -> dict[str, Any]:
    mm2 = (side_px * mpp / 1000) ** 2
    seconds = [median(each.maps + each.nuclei for each in timed) for timed in both]
    cpu = [median(each.cpu for each in timed) for timed in both]
    return {
        "engine": setup.engine,
        "precision": setup.precision,
        "tile": setup.tile_px,
        "nuclei_per_mpx": [round(timed[0].found / side_px**2 * 1e6) for timed in both],
        "s_per_mm2": [round(each / mm2, 2) for each in seconds],
        "cpu_s_per_mm2": [round(each / mm2, 2) for each in cpu],
        "ratio": round(seconds[1] / seconds[0], 2),
        "cpu_ratio": round(cpu[1] / cpu[0], 2),
    }
