"""What can go wrong for a reason the reader can do something about.

Every message is one sentence for the person in front of the screen: what was got, what is needed,
what to do. Pages and the command line show ``str(error)`` as it is. Anything that is not a
`SegCoreError` is a bug and may show its traceback.
"""

import pickle
import re
import struct


class SegCoreError(Exception):
    """Base of every error that a user can cause and cure."""


class SlideError(SegCoreError):
    """A slide cannot be opened or read."""


class ResolutionError(SlideError):
    """Nobody has said how large a pixel of the slide is."""


class StainError(SegCoreError):
    """What the stain of a slide is like cannot be learned from it."""


class RegionError(SegCoreError):
    """A region or ROI makes no sense on this slide."""


class ModelError(SegCoreError):
    """Weights or their card are missing, damaged or of another kind."""


class StoreError(SegCoreError):
    """A run cannot be written, read or found."""


class BusyError(StoreError):
    """Another process is at work on the same run."""


class CohortError(SegCoreError):
    """A list of slides makes no sense, or those who work on it cannot be reached."""


class ExportError(SegCoreError):
    """A file cannot be written as asked."""


class DataError(SegCoreError):
    """Labelled data are not what their layout promises."""


class SettingsError(SegCoreError):
    """An option has a value it cannot have."""


class JobError(SegCoreError):
    """The worker process failed in a way its reader cannot be blamed for."""


class JobCancelled(SegCoreError):
    """Somebody pressed Stop; what was finished so far is kept."""


class TeachingError(SegCoreError):
    """Labels or a classifier taught from them are missing, damaged or foreign."""


class CorrectionError(SegCoreError):
    """What somebody says of nuclei cannot be written down."""


_LONGEST_REASON = 160

# What Python says when a reader stumbles over content that it did not expect, and what it then says
# is about the program; so is what torch advises over several lines.
_OF_THE_PROGRAM = (
    *(AttributeError, TypeError, LookupError, NameError, AssertionError, RecursionError),
    *(NotImplementedError, pickle.UnpicklingError, struct.error),
)
_WORDS_OF_THE_PROGRAM = re.compile(
    r"truth value of|values to unpack|broadcast|reshape|has no attribute|not supported between|"
    r"unsupported operand|not subscriptable|not iterable|unhashable|out of bounds|"
    r"required argument|positional argument|unexpected keyword|invalid literal for|buffer size|"
    r"weights_only|PyTorch"
)


# Of the path of a file that is quoted; where a machine keeps its files is nobody's affair.
_FOLDERS = re.compile(r"(?<![\w/:.])(?:[A-Za-z]:)?[/\\](?=\S)[^:;()'\"]*[/\\]")


def counted(count: int, name: str, several: str | None = None) -> str:
    """Return how many there are of something, in words.

    Parameters
    ----------
    count : int
    name : str
        Of one.
    several : str, optional
        Of more than one and of none, where that is not ``name`` with an *s*.

    Examples
    --------
    >>> counted(1, "slide"), counted(1200, "slide")
    ('1 slide', '1,200 slides')
    >>> counted(1, "nucleus", "nuclei"), counted(0, "nucleus", "nuclei")
    ('1 nucleus', '0 nuclei')
    """
    return f"{count:,} {name if count == 1 else several or f'{name}s'}"


def there_are(count: int) -> str:
    """Return how many there are, as a sentence ends.

    Examples
    --------
    >>> there_are(1), there_are(1200)
    ('there is 1', 'there are 1,200')
    """
    return f"there {'is' if count == 1 else 'are'} {count:,}"


_LONGEST_QUOTE = 60


def capitalised(text: str) -> str:
    """Return a sentence as it stands alone: with a capital, unless it begins with a file's name or a unit.

    Examples
    --------
    >>> capitalised("no stroma was found."), capitalised("a.svs is damaged.")
    ('No stroma was found.', 'a.svs is damaged.')
    """
    first = text.partition(" ")[0].rstrip(":;,")
    return text[:1].upper() + text[1:] if first.isalpha() and first != "µm" else text


def quoted(value: object) -> str:
    """Return what stands in a file as a sentence quotes it: printable, and not all of it.

    Examples
    --------
    >>> quoted("tumour")
    "'tumour'"
    >>> len(quoted("x" * 9999))
    62
    """
    shown = repr(value)
    return shown if len(shown) <= _LONGEST_QUOTE else f"{shown[:_LONGEST_QUOTE]} …"


def told_by(error: Exception) -> str:
    """Return what a library says of a file, for a sentence: one line, and not all of the file.

    Libraries quote what they stumble over, which in a damaged file may be any bytes of any length,
    and the whole path of the file.
    """
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    words = " ".join("".join(c if c.isprintable() else " " for c in said).split())
    words = _FOLDERS.sub("", words)
    words = words.replace("\N{REPLACEMENT CHARACTER}", "")
    if isinstance(error, _OF_THE_PROGRAM) or _WORDS_OF_THE_PROGRAM.search(words):
        words = ""
    if not words:
        return "what stands in it makes no sense"
    return words if len(words) <= _LONGEST_REASON else f"{words[:_LONGEST_REASON]} …"
