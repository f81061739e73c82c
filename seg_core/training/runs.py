"""Training runs side by side: a table, its CSV and a report to look at."""

import base64
import html
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import pandas as pd

from seg_core.errors import DataError
from seg_core.figures.training import training_curves
from seg_core.training.files import CONFIG, LOG, PREVIEWS

_PREVIEW_WIDTH_PX = 1100
_MOST_PREVIEWS = 12


@dataclass(frozen=True)
class TrainingRun:
    """One folder that ``train`` has written.

    Attributes
    ----------
    name : str
    config : dict
        As the run was started.
    log : DataFrame
        A row for each validation.
    previews : tuple of Path
        Worst image first; empty until the run has ended.
    """

    name: str
    config: dict[str, Any]
    log: pd.DataFrame
    previews: tuple[Path, ...]

    @property
    def best(self) -> "pd.Series[float]":
        """The row of the log with the highest score."""
        return self.log.iloc[int(self.log["score"].argmax())]


def read_runs(folder: Path) -> list[TrainingRun]:
    """Find the runs below a folder, by name; one that has not validated yet is left out.

    Raises
    ------
    DataError
        If there is none.
    """
    runs = [_read_run(log.parent) for log in sorted(folder.glob(f"**/{LOG}"))]
    if not runs:
        raise DataError(
            f"{folder} holds no training run that has got as far as a validation; "
            "name the folder that train was given with --out, or the one above it."
        )
    return runs


def _read_run(folder: Path) -> TrainingRun:
    config = folder / CONFIG
    return TrainingRun(
        name=folder.name,
        config=json.loads(config.read_text(encoding="utf-8")) if config.is_file() else {},
        log=pd.read_csv(folder / LOG),
        previews=tuple(sorted((folder / PREVIEWS).glob("*.png"))),
    )


def compare(runs: list[TrainingRun]) -> pd.DataFrame:
    """Return a row for each run: what it was, its best step and the figures there.

    Returns
    -------
    table : DataFrame
        ``run``, ``encoder``, ``steps`` (planned), ``done``, ``best_step``, ``score``, then the
        figures of the log, best run first.
    """
    rows = []
    for run in runs:
        best = run.best.to_dict()
        rows.append(
            {
                "run": run.name,
                "encoder": run.config.get("encoder", ""),
                "steps": run.config.get("steps"),
                "done": int(run.log["step"].max()),
                "best_step": int(best.pop("step")),
                "score": best.pop("score"),
                **best,
            }
        )
    return pd.DataFrame(rows).sort_values("score", ascending=False, ignore_index=True)


def report_html(runs: list[TrainingRun]) -> str:
    """Return one self-contained page: the comparison, the curves, the worst images."""
    table = compare(runs).round(4).to_html(index=False, na_rep="–", border=0)
    curves = training_curves({run.name: run.log for run in runs})
    return _PAGE.format(
        table=table,
        curves=curves.to_html(full_html=False, include_plotlyjs=True),
        previews="".join(_previews_of(run) for run in runs if run.previews),
    )


def _previews_of(run: TrainingRun) -> str:
    pictures = "".join(
        f"<figure><img alt='' src='data:image/jpeg;base64,{_small_jpeg(path)}'>"
        f"<figcaption>{html.escape(path.stem)}</figcaption></figure>"
        for path in run.previews[:_MOST_PREVIEWS]
    )
    title = html.escape(run.name)
    return f"<h2>{title}: worst images first</h2><p>Labels left, answer right.</p>{pictures}"


def _small_jpeg(path: Path) -> str:
    picture = cv2.imread(str(path))
    if picture is None:
        raise DataError(f"the preview {path.name} is damaged; delete it and make the report again.")
    scale = min(1.0, _PREVIEW_WIDTH_PX / picture.shape[1])
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    _, encoded = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 85])
    return base64.b64encode(encoded.tobytes()).decode("ascii")


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Training runs</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 1200px; color: #17212b }}
table {{ border-collapse: collapse; display: block; overflow-x: auto; font-size: 13px }}
td, th {{ border-bottom: 1px solid #d8e0e6; padding: .3rem .7rem; text-align: right }}
figure {{ margin: 1.5rem 0 }} img {{ max-width: 100% }} figcaption {{ color: #5b6b78 }}
</style></head><body>
<h1>Training runs</h1>
{table}
<h2>Curves</h2>
{curves}
{previews}
</body></html>
"""
