"""Which class of ours a class of somebody else's reference is: guessed, and decided by a person."""

import re
from collections.abc import Iterable, Mapping

from seg_core.classes import OTHER, ClassScheme, Role
from seg_core.errors import DataError

NO_CLASS, AREA, IGNORE = "none", "area", "ignore"
"""What a class may mean beside a class of nuclei: nuclei whose class nobody knows; regions in which
every nucleus was labelled; regions in which nothing counts."""

_WORDS: dict[Role, tuple[str, ...]] = {
    "epithelium": (
        *("epithelial", "epithelium", "tumour", "tumor", "neoplastic", "cancer", "carcinoma"),
        *("malignant", "malignant epithelial", "malignant epithelium", "healthy epithelial"),
        *("dysplastic epithelial",),
    ),
    "lymphocyte": (
        *("lymphocyte", "lymphoid", "lymph", "til", "immune", "inflammatory", "plasma"),
        *("plasmacell", "mononuclear"),
    ),
    "neutrophil": ("neutrophil", "polymorph", "pmn"),
    "macrophage": ("macrophage", "histiocyte"),
    "other": (
        *("other", "stroma", "stromal", "connective", "fibroblast", "endothelial", "endothelium"),
        *("spindle", "spindleshaped", "muscle"),
    ),
}
_AREAS = ("region", "roi", "area", "annotated", "annotatedarea", "annotatedregion", "fov")
_IGNORED = ("ignore", "ignored", "ambiguous", "exclude", "excluded")
_NOTHING_SAID = ("nucleu", "nuclei", "cell")  # as they are left when a plural's s is off


def targets(scheme: ClassScheme) -> tuple[str, ...]:
    """Return all that a class of a reference may be mapped to."""
    return (*scheme.names_with_other, NO_CLASS, AREA, IGNORE)


def guessed(their_name: str, scheme: ClassScheme) -> str:
    """Return what a class of a reference probably is; `NO_CLASS` where its name says nothing.

    Capitals, signs, a plural's *s* and words such as *nuclei* do not matter. Of a class that QuPath
    derives from another, as *Tumor: Positive*, the first name counts.

    Examples
    --------
    >>> from seg_core.classes import MONUSAC
    >>> [guessed(each, MONUSAC) for each in ("Tumor: Positive", "Immune cells", "Region*", "Necrosis")]
    ['epithelial', 'lymphocyte', 'area', 'none']
    """
    bare = _bare(their_name)
    for ours in scheme.names_with_other:
        if bare and bare == _bare(ours):
            return ours
    if bare in map(_bare, _AREAS):
        return AREA
    if bare in map(_bare, _IGNORED):
        return IGNORE
    for role, words in _WORDS.items():
        if bare in map(_bare, words):
            if role == "other":
                return OTHER
            return next(iter(scheme.names_of_role(role)), NO_CLASS)
    return NO_CLASS


def mapping_of(
    their_names: Iterable[str], decided: Mapping[str, str], scheme: ClassScheme
) -> dict[str, str]:
    """Return what each class of a reference is, as a person decided it, else as it is guessed.

    Raises
    ------
    DataError
        If the person named a class that the reference does not have, or one that we do not have.
    """
    names = list(dict.fromkeys(their_names))
    for theirs, ours in decided.items():
        if theirs not in names:
            raise DataError(
                f"the reference has no class {theirs!r} to map; it has "
                f"{', '.join(map(repr, names)) or 'none at all'}."
            )
        if ours not in targets(scheme):
            raise DataError(
                f"{theirs!r} cannot be mapped to {ours!r}; choose one of "
                f"{', '.join(targets(scheme))}."
            )
    return {name: decided.get(name) or guessed(name, scheme) for name in names}


def decided_for(scheme: ClassScheme, decided: Mapping[str, str]) -> dict[str, str]:
    """Return what of a decision holds for a run; the rest was said of runs with other classes.

    Examples
    --------
    >>> from seg_core.classes import MONUSAC
    >>> decided_for(MONUSAC, {"Tumour": "epithelial", "Plasma": "plasma cell"})
    {'Tumour': 'epithelial'}
    """
    known = targets(scheme)
    return {theirs: ours for theirs, ours in decided.items() if ours in known}


def parse_mapping(entries: Iterable[str]) -> dict[str, str]:
    """Read what a command line says, ``Tumor=epithelial``.

    Raises
    ------
    DataError
        If an entry has no equals sign.

    Examples
    --------
    >>> parse_mapping(["Tumor: Positive=epithelial", "a=b=other"])
    {'Tumor: Positive': 'epithelial', 'a=b': 'other'}
    """
    mapping = {}
    for entry in entries:
        theirs, sign, ours = entry.rpartition("=")
        if not sign or not ours:
            raise DataError(f"{entry!r} maps nothing; write it as THEIRS=OURS, Tumor=epithelial.")
        mapping[theirs] = ours
    return mapping


def _bare(name: str) -> str:
    """Return a name's letters without what does not tell classes apart."""
    words = [each.removesuffix("s") for each in re.findall(r"[a-z]+", name.split(":")[0].lower())]
    return "".join(each for each in words if each not in _NOTHING_SAID)
