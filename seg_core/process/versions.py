"""Which versions of the packages that a figure may depend on are installed."""

from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from platform import python_version

_PACKAGES = (
    *("torch", "openvino", "numpy", "scipy", "opencv-python-headless", "shapely"),
    *("openslide-python", "torchstain"),
)


def package_versions() -> dict[str, str]:
    """Return the versions by name, Python's first; what is not installed is left out."""
    versions = {"python": python_version()}
    for name in _PACKAGES:
        with suppress(PackageNotFoundError):  # not every engine is installed everywhere
            versions[name] = version(name)
    return versions
