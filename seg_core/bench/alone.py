"""One setup in a process of its own, which prints the most memory it held, in MB, as JSON."""

import json
import sys
from pathlib import Path

from seg_core.bench.measure import Setup, work_once
from seg_core.process.memory import hold_little_memory


def main(question: str) -> None:
    """Work on a region, given with model, engine, precision and tile as a JSON list."""
    hold_little_memory(at_work=True)
    region, model, *setting = json.loads(question)
    sys.stdout.write(json.dumps(work_once(Path(region), model, Setup(*setting))))


if __name__ == "__main__":
    main(sys.argv[1])
