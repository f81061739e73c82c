"""How large a store may grow, as the environment says.

For a host whose disk is small and whose visitors come and go; `seg_core.store.Store.shrink` keeps
to it.
"""

import math
import os
from contextlib import suppress

from seg_core.errors import SettingsError

LIMIT_VARIABLE = "SEG_STORE_LIMIT"
"""Environment variable that says how many gigabytes a store may hold; unset: as many as fit."""

_BYTES_PER_GB = 10**9


def store_limit() -> int | None:
    """Return ``SEG_STORE_LIMIT`` in bytes, None where there is no limit.

    Raises
    ------
    SettingsError
        If it is not a number above 0.
    """
    said = os.environ.get(LIMIT_VARIABLE)
    if not said:
        return None
    with suppress(ValueError):
        if 0 < (gigabytes := float(said)) < math.inf:
            return round(gigabytes * _BYTES_PER_GB)
    raise SettingsError(
        f"{LIMIT_VARIABLE} is {said!r}; give a number of gigabytes above 0, for instance 2.5."
    )
