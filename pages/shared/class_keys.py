"""Which key calls a nucleus by which class: the same where nuclei are labelled and corrected."""

from seg_core.classes import OTHER, ClassScheme

NOT_A_NUCLEUS_KEY = "0"

_KEYS = "123456789"


def class_keys(scheme: ClassScheme) -> dict[str, str]:
    """Return the key of each name, *other* included, in the order in which they are offered.

    Classes beyond the digits have none, "", and are named by their button. *Other* always has one: the
    last where the classes are too many.

    Examples
    --------
    >>> from seg_core.classes import MONUSAC
    >>> class_keys(MONUSAC)["macrophage"], class_keys(MONUSAC)["other"]
    ('4', '5')
    """
    given = zip(scheme.names[: len(_KEYS) - 1], _KEYS, strict=False)
    keys = dict.fromkeys(scheme.names_with_other, "") | dict(given)
    return keys | {OTHER: _KEYS[min(len(scheme.names), len(_KEYS) - 1)]}
