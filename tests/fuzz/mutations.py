"""Changes that a disk, a network or somebody with a purpose makes to a file."""

import json
from random import Random
from typing import Any

from tests.fuzz.structures import reframed

_STRANGE = (
    None,
    True,
    -1,
    0,
    2**31 - 1,
    2**63,
    1e308,
    "",
    "a\0b",
    "\ud800",
    [],
    {},
    [[]],
    "x" * 999,
)


def damaged(content: bytes, random: Random) -> bytes:
    """Return a file's content with one or two changes; what has a structure is often changed in it."""
    for _ in range(random.randint(1, 2)):
        content = _changed(content, random)
    return content


def _changed(content: bytes, random: Random) -> bytes:
    if random.random() < 0.6:
        if content[:1] in (b"{", b"["):
            return _structure(content, random)
        if (changed := reframed(content, random)) is not None:
            return changed
        if (changed := _with_header(content, random)) is not None:
            return changed
    ways = (_flip, _cut, _remove, _insert, _zero, _numbers, _repeat)
    return random.choice(ways)(bytearray(content), random)


def _structure(content: bytes, random: Random) -> bytes:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return content
    places: list[tuple[Any, Any]] = []

    def walk(node: Any) -> None:
        keys = node if isinstance(node, dict) else range(len(node))
        for key in keys:
            places.append((node, key))
            if isinstance(node[key], dict | list):
                walk(node[key])

    if isinstance(document, dict | list):
        walk(document)
    if places:
        node, key = random.choice(places)
        if random.random() < 0.3:
            del node[key]
        else:
            node[key] = random.choice(_STRANGE)
    return json.dumps(document).encode()


def _with_header(content: bytes, random: Random) -> bytes | None:
    """Change the structure of the JSON behind its length, as safetensors have it."""
    length = int.from_bytes(content[:8], "little")
    header = content[8 : 8 + length]
    if header[:1] != b"{":
        return None
    changed = _structure(header, random)
    return len(changed).to_bytes(8, "little") + changed + content[8 + length :]


def _flip(content: bytearray, random: Random) -> bytes:
    for _ in range(random.randint(1, 8)):
        if content:
            content[random.randrange(len(content))] ^= 1 << random.randrange(8)
    return bytes(content)


def _cut(content: bytearray, random: Random) -> bytes:
    return bytes(content[: random.randrange(len(content) + 1)])


def _remove(content: bytearray, random: Random) -> bytes:
    at = random.randrange(len(content) + 1)
    del content[at : at + random.randint(1, 64)]
    return bytes(content)


def _insert(content: bytearray, random: Random) -> bytes:
    at = random.randrange(len(content) + 1)
    content[at:at] = random.randbytes(random.randint(1, 64))
    return bytes(content)


def _zero(content: bytearray, random: Random) -> bytes:
    at = random.randrange(len(content) + 1)
    length = min(random.choice((16, 512, 4096)), len(content) - at)
    content[at : at + length] = bytes(length)
    return bytes(content)


def _numbers(content: bytearray, random: Random) -> bytes:
    """Write a large or a negative number near the beginning, where sizes stand."""
    at = random.randrange(min(len(content), 600) + 1)
    number = random.choice((0xFFFFFFFF, 0x7FFFFFFF, 0, 0x10000, 0x4000))
    content[at : at + 4] = number.to_bytes(4, random.choice(("little", "big")))
    return bytes(content)


def _repeat(content: bytearray, random: Random) -> bytes:
    """Repeat a piece up to a thousand times, as what is nested too deep or never ends."""
    at = random.randrange(len(content) + 1)
    piece = content[at : at + random.randint(1, 40)]
    content[at:at] = piece * random.choice((1, 2, 30, 1000))
    return bytes(content)
