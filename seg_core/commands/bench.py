"""The command ``bench``."""

import argparse
import os
import platform
import sys
from pathlib import Path
from typing import Any

from seg_core.bench.dense import measure_dense
from seg_core.bench.measure import Setup, measure
from seg_core.bench.region import write_region
from seg_core.bench.stages import STAGES
from seg_core.commands.terminal import Subparsers, add_json, counting_bar, write_json
from seg_core.files.temporary import temporary_folder
from seg_core.model import ModelCard, find_model
from seg_core.model.openvino_engine import has_bf16
from seg_core.process.memory import hold_little_memory
from seg_core.settings import Precision

_DESCRIPTION = """\
Time the engines against the way the original project went: a tile at a time through PyTorch in
fp32, logits added up in floats over the whole image. The samples are laid out as a slide of dense
tissue at 0.25 µm/px, and each setting works on it in turns with the others; figures are medians.

Prints a Markdown table, or with --dense another one: what an analysis of tissue with 900 nuclei a
megapixel costs against the usual one, which has 390. Times and ratios are from reading to maps on disk; s/mm² is with nuclei,
peak memory that of a process that does nothing else. Leave the machine alone meanwhile, and let
all libraries use all cores (no OMP_NUM_THREADS).
"""


def add_bench(subparsers: Subparsers) -> None:
    """Add ``bench``: time the engines against the original project's way."""
    parser = subparsers.add_parser(
        "bench",
        help="time the engines against the original project's way",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", metavar="NAME|FILE", help="instead of the default model")
    parser.add_argument(
        "--quick", action="store_true", help="fewer settings, once, on 1024 × 1024 pixels"
    )
    parser.add_argument(
        "--dense", action="store_true", help="instead: what dense tissue costs, in auto and Fast"
    )
    parser.add_argument(
        "--side", metavar="PX", type=_side, help="of the region; default: 4096, quick 1024"
    )
    parser.add_argument(
        "--rounds", metavar="N", type=int, choices=range(1, 100), help="default: 3, quick 1"
    )
    add_json(parser)
    parser.set_defaults(run=_bench, parser=parser)


def _bench(options: argparse.Namespace) -> int:
    card, _ = find_model(options.model)
    side_px = options.side or (1024 if options.quick else 4096)
    rounds = options.rounds or (1 if options.quick else 3)
    hold_little_memory(at_work=True)  # as an analysis does
    if options.dense:
        return _bench_dense(options, card, side_px, rounds)
    with temporary_folder() as folder, counting_bar("bench") as report:
        region = write_region(folder / "region.tif", side_px, card.mpp)
        setups = _setups(card, quick=options.quick)
        rows = measure(region, options.model, setups, rounds=rounds, report=report)
    result = {"machine": _machine(), "side_px": side_px, "rounds": rounds, "results": rows}
    sys.stdout.write(_markdown(result))
    if options.json:
        write_json(result, options.json, indent=2)
    return 0


def _bench_dense(options: argparse.Namespace, card: ModelCard, side_px: int, rounds: int) -> int:
    setups = _preset_setups(card)
    with counting_bar("bench") as report:
        rows = measure_dense(options.model, setups, side_px=side_px, rounds=rounds, report=report)
    result = {"machine": _machine(), "side_px": side_px, "rounds": rounds, "dense": rows}
    sys.stdout.write(_dense_markdown(result))
    if options.json:
        write_json(result, options.json, indent=2)
    return 0


def _preset_setups(card: ModelCard) -> list[Setup]:
    """Return what *auto* and *Fast* are on this machine."""
    auto = Setup("openvino", "bf16" if has_bf16() else "fp32", 256)
    return [auto, Setup("openvino", "int8", 512)] if card.int8 else [auto]


def _setups(card: ModelCard, *, quick: bool) -> list[Setup]:
    """Return what this machine and model can be timed at."""
    half: list[Precision] = ["bf16"] if has_bf16() else []
    faster: list[Precision] = [*half, *(["int8"] if card.int8 else [])]  # type: ignore[list-item]
    if quick:
        return [Setup("openvino", precision, 256) for precision in ("fp32", *faster)]
    return [
        *(Setup("torch", precision, 256) for precision in ("fp32", *half)),
        Setup("openvino", "fp32", 256),
        *(Setup("openvino", precision, tile) for precision in faster for tile in _TILES_PX),
    ]


_TILES_PX = (256, 512, 1024)


def _machine() -> dict[str, Any]:
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count(),
        "omp_num_threads": os.environ.get("OMP_NUM_THREADS"),
        "bf16": has_bf16(),
        "system": platform.system(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line[:10] == "model name")
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _markdown(result: dict[str, Any]) -> str:
    head = (
        "| engine | precision | tile | ratio | network alone | Mpx/s | s/mm² at 0.25 | at 0.5 | "
        f"peak MB | keeps accuracy | {' / '.join(STAGES)} |\n"
        "|---|---|---|---|---|---|---|---|---|---|---|\n"
    )
    lines = []
    for row in result["results"]:
        shares = " / ".join(f"{100 * row['share'][name]:.0f}" for name in STAGES)
        cells = [
            *(row["engine"], row["precision"], row["tile"]),
            *(f"{row['ratio']:.2f}x", f"{row['network_ratio']:.2f}x", f"{row['mpx_per_s']:.2f}"),
            *(_number(row["s_per_mm2_025"]), _number(row["s_per_mm2_05"])),
            *(_number(row["peak_rss_mb"], 0), "yes" if row["keeps_accuracy"] else "no"),
            f"{shares} %",
        ]
        lines.append("| " + " | ".join(map(str, cells)) + " |\n")
    return head + "".join(lines) + _foot(result)


def _dense_markdown(result: dict[str, Any]) -> str:
    lines = [
        "| engine | precision | tile | nuclei/Mpx | s/mm² | processor s/mm² | "
        + "dense: nuclei/Mpx | s/mm² | processor s/mm² | ratio | of processor time |\n",
        "|" + "---|" * 11 + "\n",
    ]
    for row in result["dense"]:
        cells = [row["engine"], row["precision"], row["tile"]]
        for number in (0, 1):
            seconds = (row[name][number] for name in ("s_per_mm2", "cpu_s_per_mm2"))
            cells += [row["nuclei_per_mpx"][number], *(_number(each, 1) for each in seconds)]
        cells += [f"{row[name]:.2f}x" for name in ("ratio", "cpu_ratio")]
        lines.append("| " + " | ".join(map(str, cells)) + " |\n")
    return "".join(lines) + _foot(result)


def _foot(result: dict[str, Any]) -> str:
    machine, side = result["machine"], result["side_px"]
    return (
        f"\n{machine['processor']}, {machine['cores']} cores; {side} × {side} px, "
        f"medians of {result['rounds']}.\n"
    )


def _number(value: float | None, digits: int = 1) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _side(text: str) -> int:
    side = int(text) if text.isdigit() else 0
    if not 64 <= side <= 16_384:
        raise argparse.ArgumentTypeError(f"{text!r} is no side; give 64 to 16384 pixels.")
    return side
