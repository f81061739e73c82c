"""Numbers that a reader types and that have to lie within bounds.

Streamlit's own bounds colour the field of a number beyond them, and tell the page that nothing was
typed: what then is started has another number than the one that is to be read.
"""

from seg_core.errors import SettingsError


def check_number(label: str, value: float | None, least: float, most: float) -> None:
    """Refuse a number that was typed and lies beyond its bounds, when it is to be used.

    Parameters
    ----------
    label : str
        Of its field.
    value : float or None
        None where nothing was typed.
    least, most : float

    Raises
    ------
    SettingsError
        If it lies beyond them.
    """
    if value is not None and not least <= value <= most:
        raise SettingsError(
            f"{label} is {value:g}; give {least:g} to {most:,g}, or leave it empty."
        )
