"""What dense tissue costs against the bench's usual one: nuclei are work too."""

from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from seg_core.bench.measure import Setup, timed_analysis
from seg_core.bench.region import write_region
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
        One of each setup: ``engine``, ``precision``, ``tile``; of both regions ``s_per_mm2`` and
        ``nuclei_per_mpx``, the usual one first; ``ratio`` of dense to usual time.
    """
    mpp = find_model(model)[0].mpp
    mm2 = (side_px * mpp / 1000) ** 2
    steps = [(setup, number) for _ in range(rounds) for setup in setups for number in (0, 1)]
    seconds: dict[tuple[Setup, int], list[float]] = {step: [] for step in steps}
    nuclei: dict[tuple[Setup, int], int] = {}
    with TemporaryDirectory() as folder:
        regions = [
            write_region(Path(folder) / f"{dense}.tif", side_px, mpp, dense=dense)
            for dense in (False, True)
        ]
        for done, step in enumerate(steps, start=1):
            setup, number = step
            with TemporaryDirectory() as runs:
                timed = timed_analysis(regions[number], model, setup.settings(), Path(runs))
            seconds[step].append(timed.maps + timed.nuclei)
            nuclei[step] = timed.found
            report(done, len(steps))
    rows = []
    for setup in setups:
        usual, dense = (median(seconds[setup, number]) for number in (0, 1))
        rows.append(
            {
                "engine": setup.engine,
                "precision": setup.precision,
                "tile": setup.tile_px,
                "s_per_mm2": [round(each / mm2, 2) for each in (usual, dense)],
                "nuclei_per_mpx": [
                    round(nuclei[setup, number] / side_px**2 * 1e6) for number in (0, 1)
                ],
                "ratio": round(dense / usual, 2),
            }
        )
    return rows
