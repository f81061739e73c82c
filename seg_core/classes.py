"""What the pixels and nuclei are called, and their colours, in one order everywhere."""

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

from seg_core.errors import ModelError, quoted

BACKGROUND = 0
"""Value of a class map, and of a ternary map, where there is no nucleus of the four classes."""

INSIDE, BOUNDARY = 1, 2
"""Values of a ternary map (0 background) inside a nucleus and on the outer rim of one."""

OTHER = "other"
"""Name of a nucleus whose pixels no class claims: fibroblasts, endothelium, muscle."""

OTHER_COLOUR = "#8c8c8c"

UNCERTAIN = "uncertain"
"""Name of a nucleus whose class is less sure than the reader asks for."""

UNCERTAIN_COLOUR = "#60e0e0"

UNCERTAIN_ID = 255
"""Its id where one is needed; no class map holds it."""

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_MOST_NAME = 60


Role = Literal["epithelium", "lymphocyte", "neutrophil", "macrophage", "other"]
"""What a score takes a class for, whatever a model calls it; *epithelium* is tumour, too."""

# A card that gives no roles, as those from before there were roles, gets them by these names.
_ROLE_OF_NAME: dict[str, Role] = {
    **dict.fromkeys(("epithelial", "epithelium", "tumour", "tumor", "neoplastic"), "epithelium"),
    **dict.fromkeys(("lymphocyte", "lymphocytes", "til"), "lymphocyte"),
    **dict.fromkeys(("neutrophil", "neutrophils"), "neutrophil"),
    **dict.fromkeys(("macrophage", "macrophages"), "macrophage"),
}

ROLE_PLURALS: dict[Role, str] = {
    "epithelium": "epithelial or tumour nuclei",
    "lymphocyte": "lymphocytes",
    "neutrophil": "neutrophils",
    "macrophage": "macrophages",
    "other": "other nuclei",
}
"""What nuclei of a role are called in a sentence."""


@dataclass(frozen=True, slots=True)
class VoteWeight:
    """How a class's share of a nucleus's vote becomes its probability, see `seg_core.nuclei.vote`.

    Attributes
    ----------
    bias : float
        Log-odds against *other* that are added, whatever the share.
    sharpness : float
        Above 0; what the logarithm of the share counts.
    """

    bias: float = 0.0
    sharpness: float = 1.0


@dataclass(frozen=True, slots=True)
class NucleusClass:
    """One class of nuclei.

    Attributes
    ----------
    id : int
        In the class map.
    name : str
    colour : str
        ``#rrggbb``.
    given_role : Role, optional
        What the model's card says of it; see `role`.
    vote : VoteWeight, optional
        Where the model's votes were calibrated.

    Examples
    --------
    >>> NucleusClass(1, "Tumour", "#e69f00").role, NucleusClass(2, "fibroblast", "#999999").role
    ('epithelium', 'other')
    >>> NucleusClass(1, "plasma cell", "#0072ff", given_role="lymphocyte").role
    'lymphocyte'
    """

    id: int
    name: str
    colour: str
    given_role: Role | None = None
    vote: VoteWeight | None = None

    def __post_init__(self) -> None:
        if self.given_role is not None and self.given_role not in get_args(Role):
            raise ModelError(
                f"the class {quoted(self.name)} has the role {quoted(self.given_role)}; "
                f"choose one of {', '.join(get_args(Role))}."
            )

    @property
    def role(self) -> Role:
        """What scores take the class for: what the card says, else what its name is known for."""
        return self.given_role or _ROLE_OF_NAME.get(self.name.lower(), "other")

    @property
    def rgb(self) -> tuple[int, int, int]:
        """The colour as three bytes."""
        return rgb_of(self.colour)


@dataclass(frozen=True, slots=True)
class ClassScheme:
    """The nucleus classes of a model, ids 1 to N in order; 0 is background.

    Examples
    --------
    >>> MONUSAC.names
    ('epithelial', 'lymphocyte', 'neutrophil', 'macrophage')
    >>> MONUSAC.name_of(2), MONUSAC.name_of(0)
    ('lymphocyte', 'other')
    """

    classes: tuple[NucleusClass, ...]

    def __post_init__(self) -> None:
        ids = [each.id for each in self.classes]
        if ids != list(range(1, len(ids) + 1)):
            raise ModelError(f"class ids must be 1 to {len(ids)} in order, got {ids}.")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the classes by id, without background and *other*."""
        return tuple(each.name for each in self.classes)

    @property
    def names_with_other(self) -> tuple[str, ...]:
        """Names that a nucleus can have: the classes, then *other*."""
        return (*self.names, OTHER)

    @property
    def votes(self) -> tuple[VoteWeight, ...] | None:
        """What calibrates the vote, by class; None where it stands as it is."""
        if all(each.vote is None for each in self.classes):
            return None
        return tuple(each.vote or VoteWeight() for each in self.classes)

    def without_votes(self) -> "ClassScheme":
        """Return the same classes, their votes as they stand."""
        return ClassScheme(tuple(replace(each, vote=None) for each in self.classes))

    def names_of_role(self, role: Role) -> tuple[str, ...]:
        """Return the names of the nuclei of a role, none where the model has no such class.

        Examples
        --------
        >>> MONUSAC.names_of_role("epithelium"), MONUSAC.names_of_role("other")
        (('epithelial',), ('other',))
        """
        names = tuple(each.name for each in self.classes if each.role == role)
        return (*names, OTHER) if role == "other" else names

    def require_roles(self, roles: Iterable[Role], purpose: str) -> None:
        """Refuse a purpose that needs nuclei which the model does not tell apart.

        Parameters
        ----------
        roles : iterable of Role
        purpose : str
            What needs them, in the plural, as the sentence begins.

        Raises
        ------
        ModelError
            If the model has no class of one of the roles.

        Examples
        --------
        >>> ClassScheme(MONUSAC.classes[:1]).require_roles(["lymphocyte"], "TIL scores")
        Traceback (most recent call last):
        seg_core.errors.ModelError: TIL scores need lymphocytes, which this model does not tell \
from other nuclei (its classes are epithelial); choose a model that does, or give one of its \
classes the role lymphocyte in its card.
        """
        for role in roles:
            if not self.names_of_role(role):
                raise ModelError(
                    f"{purpose} need {ROLE_PLURALS[role]}, which this model does not tell from other "
                    f"nuclei (its classes are {', '.join(self.names)}); choose a model that does, "
                    f"or give one of its classes the role {role} in its card."
                )

    @property
    def colours(self) -> dict[str, str]:
        """``#rrggbb`` by name, *uncertain* and *other* included."""
        named = {each.name: each.colour for each in self.classes}
        return {**named, UNCERTAIN: UNCERTAIN_COLOUR, OTHER: OTHER_COLOUR}

    def counted_names(self, *, other: bool, uncertain: bool) -> tuple[str, ...]:
        """Return the names of the nuclei that are counted: the classes, then those asked for.

        Examples
        --------
        >>> MONUSAC.counted_names(other=False, uncertain=True)[-2:]
        ('macrophage', 'uncertain')
        """
        return (*self.names, *([UNCERTAIN] if uncertain else []), *([OTHER] if other else []))

    def recoloured(self, palette: str) -> "ClassScheme":
        """Return the same classes in the colours of a palette; classes beyond it keep theirs.

        Parameters
        ----------
        palette : str
            One of `PALETTES`.

        Examples
        --------
        >>> MONUSAC.recoloured("colour-blind").colours["macrophage"]
        '#000000'
        """
        colours = PALETTES[palette].colours
        recoloured = (
            replace(each, colour=colour)
            for each, colour in zip(self.classes, colours, strict=False)
        )
        return ClassScheme((*recoloured, *self.classes[len(colours) :]))

    def joined_with(self, classes: Iterable[NucleusClass]) -> "ClassScheme":
        """Return the same classes, and behind them those whose names are new, numbered anew.

        Examples
        --------
        >>> own = NucleusClass(1, "plasma cell", "#0072ff"), NucleusClass(2, "lymphocyte", "#000000")
        >>> MONUSAC.joined_with(own).names[-2:], MONUSAC.joined_with(own).id_of("plasma cell")
        (('macrophage', 'plasma cell'), 5)
        """
        taken = {*self.names_with_other, UNCERTAIN}
        new: dict[str, NucleusClass] = {}
        for each in classes:
            if each.name not in taken:
                new.setdefault(each.name, each)
        first = len(self.classes) + 1
        numbered = (replace(each, id=number) for number, each in enumerate(new.values(), first))
        return ClassScheme((*self.classes, *numbered))

    def name_of(self, class_id: int) -> str:
        """Return the name of a nucleus with this class id; 0 is *other*, 255 *uncertain*."""
        unnamed = {BACKGROUND: OTHER, UNCERTAIN_ID: UNCERTAIN}
        return unnamed[class_id] if class_id in unnamed else self.classes[class_id - 1].name

    def id_of(self, name: str) -> int:
        """Return the class id of a name; *other* is 0, *uncertain* 255."""
        unnamed = {OTHER: BACKGROUND, UNCERTAIN: UNCERTAIN_ID}
        return unnamed[name] if name in unnamed else self.names.index(name) + 1

    def ids_of(self, names: Iterable[str]) -> list[int]:
        """Return the ids of several names."""
        return [self.id_of(name) for name in names]

    def to_json(self) -> list[dict[str, Any]]:
        """Return the scheme as it stands in a model card; a role only where a card gave one."""
        return [
            {
                "id": each.id,
                "name": each.name,
                "colour": each.colour,
                **({} if each.given_role is None else {"role": each.given_role}),
                **({} if each.vote is None else {"vote": asdict(each.vote)}),
            }
            for each in self.classes
        ]

    @classmethod
    def from_json(cls, entries: list[dict[str, Any]]) -> "ClassScheme":
        """Read the scheme of a model card."""
        return cls(
            tuple(
                NucleusClass(
                    int(e["id"]),
                    e["name"],
                    e["colour"],
                    e.get("role"),
                    VoteWeight(**e["vote"]) if "vote" in e else None,
                )
                for e in entries
            )
        )


def require_showable(name: object, colour: object) -> None:
    """Refuse a class that cannot be shown by its name and its colour.

    Raises
    ------
    ModelError
        If the name is none, too long, or means something else, or the colour is none.

    Examples
    --------
    >>> require_showable("plasma cell", "#0072ff")
    """
    if not isinstance(name, str) or not 0 < len(name) <= _MOST_NAME or not name.isprintable():
        raise ModelError(
            f"a class has no name of 1 to {_MOST_NAME} printable characters; give it one."
        )
    if name in (OTHER, UNCERTAIN, "background"):
        raise ModelError(f"a class cannot be called {name!r}; choose another name.")
    if not isinstance(colour, str) or not _COLOUR.fullmatch(colour):
        raise ModelError(f"the class {name!r} has no colour like #e69f00; give it one.")


def rgb_of(colour: str) -> tuple[int, int, int]:
    """Return the three bytes of a colour written ``#rrggbb``.

    Examples
    --------
    >>> rgb_of("#ff8000")
    (255, 128, 0)
    """
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours for the classes, in the order of their ids.

    Attributes
    ----------
    label : str
        What the reader calls it.
    colours : tuple of str
        ``#rrggbb``.
    """

    label: str
    colours: tuple[str, ...]


USUAL_PALETTE = "model"

PALETTES = {
    USUAL_PALETTE: Palette("The model's own", ()),
    # Vermilion, yellow and black of Okabe and Ito (2008), with a blue that is deeper than theirs,
    # since haematoxylin is violet. Seen with protanopia, deuteranopia or tritanopia, all differ
    # from each other by a CIEDE2000 of 23 or more; the colours above by 6.
    "colour-blind": Palette(
        "Safe for colour blindness", ("#d55e00", "#003fb4", "#f0e442", "#000000")
    ),
}
"""Colours that a reader may choose instead of those of the model's card."""


# Colours that stand out on pink and violet and, after Okabe and Ito (2008), mostly also for
# colour-blind readers.
MONUSAC = ClassScheme(
    (
        NucleusClass(1, "epithelial", "#e69f00"),
        NucleusClass(2, "lymphocyte", "#0072ff"),
        NucleusClass(3, "neutrophil", "#00c853"),
        NucleusClass(4, "macrophage", "#e6194b"),
    )
)
"""MoNuSAC 2020 (Verma et al. 2021). Other tools swap 3 and 4, so names travel with ids."""
