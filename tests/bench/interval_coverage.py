"""How often a 95 % interval of a density holds the true one, by how nuclei lie and by the slide's size.

    python -m tests.bench.interval_coverage [--replicates 300] [--seed 1] > table.md

Nuclei are scattered by processes of which the mean density is known, 500 per mm², over squares of tissue:

- *Poisson*: each anywhere;
- *Thomas*: clusters of 25 on average around 20 centres per mm², at a normal distance of σ µm;
- *log-Gaussian Cox*: a density that rises and falls, its logarithm with variance 1 and a correlation of
  exp(-distance / range).

Three ways to make the interval are compared: the percentile bootstrap over squares of 250 µm that
earlier versions used; 16 large squares on a log scale with Student's t; and `seg_core.til.ratio_estimate`.
The table stands in `docs/intervals.md`.
"""

import argparse
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student_t
from tqdm import tqdm

from seg_core.til import Grid, ratio_estimate

DENSITY_PER_MM2 = 500.0
CENTRES_PER_MM2 = 20.0
SQUARE_UM = 250.0
CELL_UM = SQUARE_UM / 4  # of the fields that Cox processes are drawn on
SIDES_MM = (2.0, 4.0, 10.0)
LEAST_SQUARES = 20
LARGE_ACROSS = 4

Floats = npt.NDArray[np.float64]
Process = Callable[[np.random.Generator, float], Floats]
Interval = tuple[float, float, bool]
"""Both ends in nuclei per mm², and whether it says to be a lower bound."""
Way = Callable[[Floats, np.random.Generator], Interval | None]


def main() -> None:
    """Measure and print a row for each process and size."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--replicates", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print(
        "| process | tissue, mm | bootstrap of 250 µm squares | 16 large squares, log and t "
        "| variogram (chosen) | … where it does not say *lower bound* | says *lower bound* "
        "| says that it has none |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for row in rows(options.replicates, np.random.default_rng(options.seed)):
        print("| " + " | ".join(row) + " |", flush=True)


def rows(replicates: int, rng: np.random.Generator) -> Iterator[list[str]]:
    """Give name, size, of each way the coverage and the median width, and what the chosen one says."""
    for name, process in PROCESSES.items():
        for side_mm in SIDES_MM:
            fields = [
                process(rng, side_mm * 1000)
                for _ in tqdm(range(replicates), f"{name}, {side_mm:g} mm", disable=None)
            ]
            ways: tuple[Way, ...] = (bootstrap, large_squares, chosen)
            found = [[way(counts, rng) for counts in fields] for way in ways]
            cells = [_cell([each for each in way if each is not None]) for way in found]
            cautious = np.mean([each is not None and each[-1] for each in found[-1]])
            without = np.mean([each is None for each in found[-1]])
            unwarned = [each for each in found[-1] if each is not None and not each[-1]]
            held = f"{_coverage(unwarned):.0%}" if unwarned else ""
            yield [name, f"{side_mm:g}", *cells, held, f"{cautious:.0%}", f"{without:.0%}"]


def _cell(intervals: list[Interval]) -> str:
    """Give the coverage and the median width of those intervals that there are."""
    widths = [high - low for low, high, _ in intervals]
    return f"{_coverage(intervals):.0%} ({np.median(widths) / DENSITY_PER_MM2:.0%})"


def _coverage(intervals: list[Interval]) -> float:
    return float(np.mean([low <= DENSITY_PER_MM2 <= high for low, high, _ in intervals]))


def poisson(rng: np.random.Generator, side_um: float) -> Floats:
    """Count the nuclei in each square."""
    across = round(side_um / SQUARE_UM)
    return rng.poisson(DENSITY_PER_MM2 * _mm2(SQUARE_UM), (across, across)).astype(float)


def thomas(sigma_um: float) -> Process:
    """Return a process of clusters; centres outside send nuclei in too."""

    def counts(rng: np.random.Generator, side_um: float) -> Floats:
        margin = 5 * sigma_um
        wide = side_um + 2 * margin
        centres = rng.uniform(
            -margin, side_um + margin, (rng.poisson(CENTRES_PER_MM2 * _mm2(wide)), 2)
        )
        sizes = rng.poisson(DENSITY_PER_MM2 / CENTRES_PER_MM2, len(centres))
        points = np.repeat(centres, sizes, axis=0)
        points += rng.normal(0, sigma_um, points.shape)
        edges = np.arange(0, side_um + SQUARE_UM / 2, SQUARE_UM)
        return np.histogram2d(*points.T, bins=(edges, edges))[0]

    return counts


def cox(range_um: float) -> Process:
    """Return a log-Gaussian Cox process, its field drawn by circulant embedding (Dietrich 1997)."""

    def counts(rng: np.random.Generator, side_um: float) -> Floats:
        across = round(side_um / CELL_UM)
        around = 2 * max(across, round(4 * range_um / CELL_UM))
        lag = np.minimum(np.arange(around), around - np.arange(around)) * CELL_UM
        covariance = np.exp(-np.hypot(lag[:, None], lag[None, :]) / range_um)
        scale = np.sqrt(np.maximum(np.fft.fft2(covariance).real, 0))
        noise = rng.normal(size=scale.shape) + 1j * rng.normal(size=scale.shape)
        field = (np.fft.fft2(scale * noise).real / around)[:across, :across]
        cells = rng.poisson(DENSITY_PER_MM2 * _mm2(CELL_UM) * np.exp(field - 0.5))
        return _merged(cells.astype(float), round(SQUARE_UM / CELL_UM))

    return counts


PROCESSES: dict[str, Process] = {
    "Poisson": poisson,
    **{f"Thomas, σ {each} µm": thomas(each) for each in (25, 75, 150)},
    **{f"Cox, range {each} µm": cox(each) for each in (300, 800)},
}


def bootstrap(counts: Floats, rng: np.random.Generator) -> Interval:
    """Draw squares with replacement."""
    drawn = rng.multinomial(counts.size, np.full(counts.size, 1 / counts.size), size=500)
    low, high = np.percentile(drawn @ counts.ravel() / (counts.size * _mm2(SQUARE_UM)), [2.5, 97.5])
    return float(low), float(high), False


def large_squares(counts: Floats, rng: np.random.Generator) -> Interval:
    """Take 16 squares for independent, on a log scale with Student's t."""
    large = _merged(counts, len(counts) // LARGE_ACROSS) / (
        (len(counts) // LARGE_ACROSS) ** 2 * _mm2(SQUARE_UM)
    )
    mean, error = large.mean(), large.std(ddof=1) / np.sqrt(large.size)
    reach = student_t.ppf(0.975, large.size - 1) * error / mean
    return mean * np.exp(-reach), mean * np.exp(reach), False


def chosen(counts: Floats, rng: np.random.Generator) -> Interval | None:
    """Ask the program; None where it says that an interval would say nothing."""
    rows, columns = np.indices(counts.shape).reshape(2, -1)
    found = ratio_estimate(
        counts.ravel(),
        np.full(counts.size, _mm2(SQUARE_UM)),
        Grid(rows, columns, SQUARE_UM),
        min_squares=LEAST_SQUARES,
    )
    if found.low is None or found.high is None:
        return None
    return found.low, found.high, found.caution is not None


def _merged(counts: Floats, by: int) -> Floats:
    """Add up blocks of so many rows and columns; what is left over at the far edges is dropped."""
    across = len(counts) // by
    kept = counts[: across * by, : across * by]
    return kept.reshape(across, by, across, by).sum(axis=(1, 3))


def _mm2(side_um: float) -> float:
    return (side_um / 1000) ** 2


if __name__ == "__main__":
    main()
