"""Changes that keep a file's frame whole, so that what stands in the frame is believed and read."""

import re
import struct
import zlib
from random import Random

_VALUES = (
    *(b"", b"-1", b"0", b"1e308", b"1e999", b"nan", b"inf", b"99999999999", b"0x10", b"1,5"),
    *(b"&#1234;", b"&amp;lt;b&gt;", b"x" * 5000, "Ⅻ".encode(), b"Ambiguous", b"Macrophage"),
)
_SIZES = (0, 1, 2, 3, 0xFF, 0x4000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def reframed(content: bytes, random: Random) -> bytes | None:
    """Return a TIFF with another entry, a PNG with another chunk, or XML with another value.

    None of any other kind.
    """
    for change in (_tiff_entry, _png_chunk, _xml_value):
        try:
            changed = change(bytearray(content), random)
        except (struct.error, IndexError, ValueError):  # an earlier change broke the frame
            continue
        if changed is not None:
            return changed
    return None


def _tiff_entry(content: bytearray, random: Random) -> bytes | None:
    """Change the tag, the type, the count or the value of one entry of any page."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(bytes(content[:4]))
    if order is None:
        return None
    entries: list[int] = []
    (page,) = struct.unpack_from(f"{order}I", content, 4)
    for _ in range(20):
        if not page:
            break
        (count,) = struct.unpack_from(f"{order}H", content, page)
        entries += [page + 2 + 12 * number for number in range(min(count, 99))]
        (page,) = struct.unpack_from(f"{order}I", content, page + 2 + 12 * count)
    at = random.choice(entries)
    field = random.choice(("tag", "type", "count", "value", "value"))
    number = random.choice((*_SIZES, random.randrange(1 << 32)))
    if field == "tag":
        struct.pack_into(f"{order}H", content, at, random.randrange(254, 350))
    elif field == "type":
        struct.pack_into(f"{order}H", content, at + 2, random.randrange(20))
    else:
        struct.pack_into(f"{order}I", content, at + (4 if field == "count" else 8), number)
    return bytes(content)


def _png_chunk(content: bytearray, random: Random) -> bytes | None:
    """Change some bytes of a chunk, and its checksum with them; or give it another name."""
    if content[:8] != b"\x89PNG\r\n\x1a\n":
        return None
    chunks, at = [], 8
    while at + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, at)
        chunks.append((at + 4, at + 8 + length))
        at += 12 + length
    begin, end = random.choice(chunks)
    if random.random() < 0.2:
        content[begin : begin + 4] = random.choice((b"IDAT", b"iCCP", b"PLTE", b"tRNS", b"zTXt"))
    for _ in range(random.randint(1, 4)):
        place = random.randrange(min(begin + 4, end - 1), end)
        content[place] = random.choice((0, 0xFF, random.randrange(256)))
    struct.pack_into(">I", content, end, zlib.crc32(content[begin:end]))
    return bytes(content)


def _xml_value(content: bytearray, random: Random) -> bytes | None:
    """Give an attribute another value or name, or take an element without content away or double it."""
    if content[:5] != b"<?xml":
        return None
    attributes = list(re.finditer(rb'(\w+)="([^"]*)"', content))
    empty = list(re.finditer(rb"<[^<>?/]*/>", content))
    if empty and random.random() < 0.3:
        found = random.choice(empty)
        content[found.start() : found.end()] = found[0] * random.choice((0, 2, 500))
    else:
        found = random.choice(attributes)
        part, new = random.choice(((2, random.choice(_VALUES)), (1, b"Other")))
        content[found.start(part) : found.end(part)] = new
    return bytes(content)
