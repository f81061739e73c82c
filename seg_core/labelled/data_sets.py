"""The data sets that teach and measure, each described once: training and evaluation read this.

Data sets differ in what their labels say, and none says everything:

- *monusac* outlines its four classes and nothing else. What it leaves blank is background for the
  classes, but not for the ternary map: fibroblasts and endothelium are there, unlabelled. Nuclei
  that an image's edge cuts are outlined in one case of five, so a rim is ignored.
- *consep* and *lizard* outline every nucleus: spindle-shaped and connective ones belong to no class
  of ours, which is where a network learns that such nuclei exist.
- *brca_m2c* has a dot on a nucleus instead of an outline, and where it has none says nothing.
- *all-nuclei* (Kumar, TNBC) outlines every nucleus without a class.

Plasma cells count with the lymphocytes: both are mononuclear cells, which the International TILs
Working Group scores together (Salgado et al. 2015). What eosinophils and miscellaneous nuclei are
to a scheme without them nobody can say: they have an outline and no class.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from seg_core.classes import OTHER, ClassScheme
from seg_core.errors import SettingsError

UNKNOWN = 255
"""Class id of a nucleus whose class nobody knows: it teaches no class and is not scored."""


@dataclass(frozen=True, slots=True)
class DataSet:
    """What the labels of a data set say.

    Ids are the data set's own and go through names: the same name may have another id elsewhere.
    """

    name: str

    title: str
    """As its paper calls it."""

    ids: Mapping[int, str | None]
    """Its own class name by the id in its masks; id 0 is a nucleus whose pixels carry no class.
    None where that says nothing."""

    meanings: Mapping[str, str | None] = field(default_factory=dict)
    """Our name by theirs, where they differ; None where no class of ours is meant."""

    weights: Mapping[str, float] = field(default_factory=dict)
    """Of a nucleus in the loss of the classes, by their name; 1 where not named."""

    mpp: float = 0.25
    """µm per pixel at which its images are taken, whatever the files say."""

    blank_weight: float = 1.0
    """Of background away from labelled nuclei in the loss of the ternary map: 1 where blank means
    that there is no nucleus."""

    outline_weight: float = 1.0
    """Of nuclei in the loss of the ternary map."""

    rim_um: float = 0.0
    """Width of the frame along each image's edges that neither teaches nor counts."""

    labels: Literal["outlines", "dots"] = "outlines"

    def meaning_of(self, their_name: str | None) -> str | None:
        """Return our name of a class of theirs, None where there is none."""
        return None if their_name is None else self.meanings.get(their_name, their_name)

    def class_id(self, their_name: str | None, scheme: ClassScheme) -> int:
        """Return the id that a scheme has for a class of theirs; `UNKNOWN` where it has none."""
        ours = self.meaning_of(their_name)
        if ours is None or ours not in scheme.names_with_other:
            return UNKNOWN
        return scheme.id_of(ours)

    def weight_of(self, their_name: str | None) -> float:
        """Return the weight of a nucleus of this class in the loss."""
        return self.weights.get(their_name or "", 1.0)


_MONUSAC = DataSet(
    name="monusac",
    title="MoNuSAC 2020",
    ids={0: OTHER, 1: "epithelial", 2: "lymphocyte", 3: "neutrophil", 4: "macrophage"},
    blank_weight=0.24,
    rim_um=3.0,
)

_MONUSAC_PATCHES = replace(
    # cut out of the images' middle, and where not, their masks have the rim
    _MONUSAC,
    name="monusac-patches",
    title="MoNuSAC 2020, cut by the command patches",
    rim_um=0.0,
)

_CONSEP = DataSet(
    name="consep",
    title="CoNSeP",
    ids={0: None, 1: "miscellaneous", 2: "inflammatory", 3: "epithelial", 4: "spindle-shaped"},
    # inflammatory nuclei are mostly, not only, lymphocytes
    meanings={"miscellaneous": None, "inflammatory": "lymphocyte", "spindle-shaped": OTHER},
    # with a lower weight than spindle-shaped ones most of them end up as *other*
    weights={"inflammatory": 1.6},
)

_LIZARD = DataSet(
    name="lizard",
    title="Lizard",
    ids={
        0: None,
        1: "neutrophil",
        2: "epithelial",
        3: "lymphocyte",
        4: "plasma cell",
        5: "eosinophil",
        6: "connective",
    },
    meanings={"plasma cell": "lymphocyte", "eosinophil": None, "connective": OTHER},
    mpp=0.5,
)

_BRCA_M2C = DataSet(
    name="brca_m2c",
    title="BRCA-M2C",
    ids={0: None},  # its classes stand beside the dots, by name
    mpp=0.5,
    # outlines are a model's, and what it has missed is blank
    blank_weight=0.24,
    outline_weight=0.3,
    labels="dots",
)

_ALL_NUCLEI = DataSet(
    name="all-nuclei", title="outlines without classes (Kumar, TNBC)", ids={0: None}
)

DATA_SETS: Mapping[str, DataSet] = {
    each.name: each
    for each in (_MONUSAC, _MONUSAC_PATCHES, _CONSEP, _LIZARD, _BRCA_M2C, _ALL_NUCLEI)
}
"""Every description by its name, which configurations and ``evaluate --classes`` use."""

MONUSAC_DATA = _MONUSAC


def data_set_of(name: str) -> DataSet:
    """Return the description of a data set.

    Raises
    ------
    SettingsError
        If there is none of this name.
    """
    if name not in DATA_SETS:
        raise SettingsError(
            f"the data set {name!r} is not known; choose one of {', '.join(DATA_SETS)}."
        )
    return DATA_SETS[name]
