"""The kinds of files that are slides: how they are named, how they begin, and who reads them.

What a file is, is told by its first bytes. Its name has to agree, since a library that is given a
file of another kind than its name says may start a program that draws it or open files that it
names. Nothing that stands not here is given to any library.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from seg_core.errors import SlideError

HEAD_BYTES = 512
"""Of a file, that tell what it is."""


@dataclass(frozen=True, slots=True)
class SlideFormat:
    """A kind of file.

    Attributes
    ----------
    name : str
        As a person calls it.
    suffixes : tuple of str
        Lower case, with the dot.
    begins : tuple of bytes
        What stands at ``offset``, one of them.
    vendors : frozenset of str
        Formats of OpenSlide that such a file may be; none: OpenSlide is not asked.
    pillow : str or None
        Name of the one format by which Pillow may read it.
    offset : int
    """

    name: str
    suffixes: tuple[str, ...]
    begins: tuple[bytes, ...]
    vendors: frozenset[str] = frozenset()
    pillow: str | None = None
    offset: int = 0

    def is_begun_by(self, head: bytes) -> bool:
        """Tell whether a file with these first bytes may be of this kind."""
        return head[self.offset :].startswith(self.begins)


TIFF = SlideFormat(
    "TIFF",
    (".svs", ".tif", ".tiff", ".ndpi", ".scn", ".bif", ".btf", ".tf2", ".tf8"),
    (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    frozenset(
        {"aperio", "hamamatsu", "leica", "trestle", "ventana", "philips", "generic-tiff"}
        # Olympus and Argos write TIFF under suffixes of their own
    ),
)
DICOM = SlideFormat("DICOM", (".dcm", ".dicom"), (b"DICM",), frozenset({"dicom"}), offset=128)
PNG = SlideFormat("PNG", (".png",), (b"\x89PNG\r\n\x1a\n",), pillow="PNG")
JPEG = SlideFormat("JPEG", (".jpg", ".jpeg"), (b"\xff\xd8\xff",), pillow="JPEG")
MIRAX = SlideFormat(
    "MIRAX",
    (".mrxs",),
    (*JPEG.begins, *PNG.begins, b"BM"),  # its preview
    frozenset({"mirax"}),
)
VMS = SlideFormat(
    "Hamamatsu VMS", (".vms",), (b"[Virtual Microscope Specimen]",), frozenset({"hamamatsu"})
)
VMU = SlideFormat(
    "Hamamatsu VMU",
    (".vmu",),
    (b"[Uncompressed Virtual Microscope Specimen]",),
    frozenset({"hamamatsu"}),
)
SAKURA = SlideFormat("Sakura", (".svslide",), (b"SQLite format 3\0",), frozenset({"sakura"}))

FORMATS: tuple[SlideFormat, ...] = (
    TIFF,
    DICOM,
    PNG,
    JPEG,
    SlideFormat("WebP", (".webp",), (b"WEBP",), pillow="WEBP", offset=8),
    MIRAX,
    VMS,
    VMU,
    SlideFormat("Zeiss CZI", (".czi",), (b"ZISRAWFILE",), frozenset({"zeiss"})),
    SAKURA,
)
"""All of them; where two begin alike, the first is meant by a file without a known suffix."""

SLIDE_SUFFIXES = frozenset(suffix for each in FORMATS for suffix in each.suffixes)
"""Lower-case file suffixes worth listing in a folder; a slide may also have another or none."""


def format_of(path: Path) -> SlideFormat:
    """Return what kind of file it is, by its content.

    Raises
    ------
    SlideError
        If it is none of those, or its name says that it is another.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    suffix = path.suffix.lower()
    found = [each for each in FORMATS if each.is_begun_by(head)]
    if not found:
        raise SlideError(
            f"{path.name} is neither a slide that OpenSlide reads nor an ordinary image; "
            "choose an SVS, NDPI, MRXS, SCN, DICOM, TIFF, PNG, JPEG or WebP file."
        )
    named = [each for each in found if suffix in each.suffixes]
    if not named and suffix in SLIDE_SUFFIXES:
        raise SlideError(
            f"{path.name} is a {found[0].name} file by its content, which its name does not say; "
            f"rename it to {path.with_suffix(found[0].suffixes[0]).name} if that is what it is."
        )
    return [*named, *found][0]


def begins_as(path: Path, *kinds: SlideFormat) -> bool:
    """Tell whether a file begins as one of some kinds does, by default as any slide."""
    head = head_of(path, HEAD_BYTES)
    return any(each.is_begun_by(head) for each in kinds or FORMATS)


def head_of(path: Path, count: int) -> bytes:
    """Return the first bytes of a file."""
    with path.open("rb") as file:
        return file.read(count)


def readable_folders(path: Path) -> Sequence[Path]:
    """Return where the files of a slide lie: in its own folder, or in the one its link leads to."""
    return tuple({path.absolute().parent, path.resolve().parent})
