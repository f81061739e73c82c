"""An assessment in sentences, the same on the page, in the report and on the command line."""

from seg_core.digits import in_digits, in_percent
from seg_core.model.set_names import spelled
from seg_core.til.interval import Estimate
from seg_core.til.result import TilResult


def interval_in_words(score: Estimate) -> str:
    """Say how far the score could be off, or why nobody knows.

    Examples
    --------
    >>> interval_in_words(Estimate(5.0, 4.0, 6.25))
    '95 % interval 4.00 to 6.25'
    >>> interval_in_words(Estimate(5.0, 4.0, 6.25, caution="the interval is a lower bound: …"))
    '95 % interval 4.00 to 6.25; the interval is a lower bound: …'
    """
    if score.low is None or score.high is None:
        return f"no interval: {(score.reason or '').rstrip('.')}"
    ends = f"95 % interval {in_percent(score.low)} to {in_percent(score.high)}"
    return f"{ends}; {score.caution.rstrip('.')}" if score.caution else ends


def basis_in_words(result: TilResult, part_name: str) -> str:
    """Say what the scores were computed on."""
    areas, counts = result.areas_mm2, result.counts
    return (
        f"{part_name}: {in_digits(areas['tissue'])} mm² tissue, with {in_digits(areas['epithelium'])} mm² "
        f"epithelium E and {in_digits(areas['stroma'])} mm² stroma S; {counts['lymphocyte']:,} "
        f"lymphocytes, {counts['lymphocyte_in_stroma']:,} of them in S, "
        f"{counts['epithelial']:,} epithelial nuclei."
    )


def eye_in_words(result: TilResult) -> str | None:
    """Say what stands beside the area score since an eye's estimate reads higher; None without."""
    value = result.tiger_til
    if value is None:
        return None
    return (
        f"TIGER-style {in_percent(value)} %: each lymphocyte in S counts as a box of "
        f"{result.settings.tiger_nucleus_um2:g} µm², as the cell and not the nucleus alone. A "
        "pathologist's estimate takes in the space between the cells, too, and reads higher than "
        "both; its cut-offs (10 and 40 %) do not hold for either."
    )


def etils_in_words(result: TilResult) -> str | None:
    """Say why eTILs reads so much higher than the area score; None where either is missing."""
    etils, stil = result.etils_pct, result.stil_area_pct.value
    if etils is None or stil is None:
        return None
    return (
        f"eTILs reads {in_percent(etils)} % where sTIL area reads {in_percent(stil)} % because it is a share "
        "of cells, lymphocytes among lymphocytes and epithelial nuclei, and sTIL area a share of "
        "ground, most of which is fibres and space between the nuclei."
    )


def doubt_in_words(result: TilResult) -> str | None:
    """Say what the area score would be were some lymphocytes something else; None where nobody measured."""
    confusion = result.confusion
    if confusion is None or result.stil_area_pct.value is None:
        return None
    share = confusion.share_of_lymphocytes
    lymphocytes = result.counts["lymphocyte_in_stroma"]
    here = (
        f", in this stroma {result.counts['other_in_stroma'] / lymphocytes:.1f}"
        if lymphocytes
        else ""
    )
    return (
        f"On labelled images ({spelled(confusion.data)}) the model called {100 * confusion.share_of_other:.1f} % of "
        "other nuclei (fibroblasts, endothelium, muscle) lymphocytes; they were "
        f"{100 * share:.1f} % of what it called so. Were that share of the lymphocytes in S false, the "
        f"score would be {in_percent(result.stil_without_false_pct(share))} %. There were "
        f"{confusion.other_per_lymphocyte:.1f} other nuclei to a lymphocyte there{here}: the more "
        "there are, the larger the share."
    )
