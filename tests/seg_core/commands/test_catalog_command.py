"""The command that lists the runs of a store."""

from pathlib import Path

import pandas as pd
import pytest

from seg_core import commands as cli
from seg_core.store import Run


def test_runs_are_listed_written_and_asked(
    painted_run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = str(painted_run.path.parents[1])
    assert cli.main(["catalog", store]) == 0
    out = capsys.readouterr().out
    assert "painted.png" in out
    assert painted_run.run_id in out

    csv, parquet = tmp_path / "runs.csv", tmp_path / "runs.parquet"
    assert cli.main(["catalog", store, "--csv", str(csv), "--parquet", str(parquet)]) == 0
    for table in (pd.read_csv(csv), pd.read_parquet(parquet)):
        assert list(table["folder"]) == [painted_run.path.relative_to(Path(store)).as_posix()]
        assert table["count_lymphocyte"].item() == painted_run.facts.counts["lymphocyte"]
    assert cli.main(["catalog", store, "--csv", str(csv)]) == 1
    assert "exists already" in capsys.readouterr().err
    assert cli.main(["catalog", store, "--csv", str(csv), "--force"]) == 0

    assert cli.main(["catalog", store, "--sql", "select count(*) as all_of_them from nuclei"]) == 0
    assert str(len(painted_run.nuclei())) in capsys.readouterr().out
    assert cli.main(["catalog", store, "--cohort", "trial"]) == 1
    assert "there is no cohort 'trial'" in capsys.readouterr().err
