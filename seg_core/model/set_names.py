"""Names of data sets and of figures, spelled as people write them."""

import re

_SPELLED = {
    "monusac": "MoNuSAC",
    "consep": "CoNSeP",
    "lizard": "Lizard",
    "brca m2c": "BRCA-M2C",
    "kumar": "Kumar",
    "tnbc": "TNBC",
    "val": "validation",
    "iou": "IoU",
    "jpeg": "JPEG",
}
_KNOWN = re.compile(rf"\b({'|'.join(_SPELLED)})\b")


def spelled(name: str) -> str:
    """Return a card's name of a data set or figure as it is read.

    Examples
    --------
    >>> spelled("monusac_val_at_20x"), spelled("brca_m2c_held_out"), spelled("lizard class mean iou")
    ('MoNuSAC validation at 20x', 'BRCA-M2C held out', 'Lizard class mean IoU')
    """
    return _KNOWN.sub(lambda known: _SPELLED[known[0]], name.replace("_", " "))
