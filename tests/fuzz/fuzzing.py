"""Damaged files of all kinds: each is read, or refused in one sentence, soon and without a crash.

    python -m tests.fuzz.fuzzing --seeds 0 10000 --state FILE [--kind NAME ...] [--seconds N]

The kinds' names and the seeds tell the files. Ends between two seeds at Ctrl-C, at SIGTERM and when
the seconds are over; the same command goes on where the state's file says that it ended. Prints
each fault when it is found, and a table by kind at the end.
"""

import argparse
import json
import signal
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.fuzz.judging import Judge, Verdict
from tests.fuzz.kinds import KINDS


@dataclass
class Count:
    """What came of the files of a kind."""

    tried: int = 0
    refused: int = 0
    opened: int = 0
    faults: int = 0
    longest_s: float = 0.0
    most_mb: float = 0.0

    def add(self, verdict: Verdict) -> None:
        self.tried += 1
        self.refused += verdict.outcome == "refused"
        self.opened += verdict.outcome == "opened"
        self.faults += verdict.outcome == "fault"
        self.longest_s = round(max(self.longest_s, verdict.seconds), 1)
        self.most_mb = round(max(self.most_mb, verdict.extra_mb))


@dataclass
class State:
    """Which seeds are done, and what was found."""

    kinds: list[str]
    first: int
    next: int
    counts: dict[str, Count] = field(default_factory=dict)
    faults: list[tuple[str, int, str]] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path, kinds: list[str], first: int) -> "State":
        """Go on with what a file says, if it is of these kinds from this seed on."""
        entries: dict[str, Any] = json.loads(path.read_text("utf-8"))
        if (entries["kinds"], entries["first"]) != (kinds, first):
            sys.exit(f"{path} is of other kinds or seeds; give another --state.")
        counts = {name: Count(**count) for name, count in entries.pop("counts").items()}
        return cls(counts=counts, **entries)

    def write(self, path: Path) -> None:
        part = path.with_name(f"{path.name}.part")
        part.write_text(json.dumps(asdict(self), indent=1), "utf-8")
        part.replace(path)

    def table(self) -> str:
        """Return the counts by kind, in Markdown."""
        lines = [
            "| kind | tried | refused with a sentence | opened | faults | longest | most memory |",
            "|---|---|---|---|---|---|---|",
        ]
        lines += [
            f"| {name} | {count.tried:,} | {count.refused:,} | {count.opened:,} | {count.faults:,} "
            f"| {count.longest_s:.1f} s | {count.most_mb:.0f} MB |"
            for name, count in self.counts.items()
        ]
        tried = sum(count.tried for count in self.counts.values())
        seeds = f"seeds {self.first} to {self.next - 1}"
        return "\n".join([*lines, f"{tried:,} files, {seeds}, {len(self.faults)} faults"])


def main() -> int:
    """Run the fuzzer over a range of seeds and print what was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", nargs=2, type=int, default=(0, 10_000), metavar=("FROM", "TO"))
    parser.add_argument("--kind", choices=KINDS, action="append")
    parser.add_argument("--state", type=Path, help="file of what is done, to go on with")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="end after these")
    options = parser.parse_args()
    kinds = options.kind or list(KINDS)
    first, end = options.seeds
    if options.state is not None and options.state.is_file():
        state = State.read(options.state, kinds, first)
    else:
        state = State(kinds, first, first, {name: Count() for name in kinds})
    stop = _stopped_by(signal.SIGINT, signal.SIGTERM)
    until = time.monotonic() + options.seconds
    with Judge() as judge:
        while state.next < end and not stop and time.monotonic() < until:
            _try_seed(state, judge)
            if options.state is not None:
                state.write(options.state)
    sys.stdout.write(f"{state.table()}\n")
    return 1 if state.faults else 0


def _try_seed(state: State, judge: Judge) -> None:
    for name in state.kinds:
        verdict = judge.judge(name, state.next)
        state.counts[name].add(verdict)
        if verdict.outcome == "fault":
            state.faults.append((name, state.next, verdict.text))
            sys.stdout.write(f"{name}, seed {state.next}: {verdict.text}\n")
            sys.stdout.flush()
    state.next += 1


def _stopped_by(*signals: signal.Signals) -> list[int]:
    """Return a list that is empty until one of some signals has come."""
    come: list[int] = []
    for each in signals:
        signal.signal(each, lambda number, _frame: come.append(number))
    return come


if __name__ == "__main__":
    sys.exit(main())
