"""The log of a training run, as tests read it."""

import csv
from pathlib import Path


def log_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "log.csv").open(newline="") as file:
        return list(csv.DictReader(file))
