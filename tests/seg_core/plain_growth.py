"""How seeds grow, pixel by pixel: what the fast way is held against."""

import numpy as np

EDGES = ((-1, 0), (1, 0), (0, -1), (0, 1))


def grown_plainly(seeds: np.ndarray, foreground: np.ndarray, steps: int) -> np.ndarray:
    """Grow seeds as the docstring of `seg_core.nuclei.growth.grow_seeds` says it."""
    labels = {tuple(p): int(seeds[tuple(p)]) for p in np.argwhere(seeds).tolist()}
    open_pixels = {tuple(p) for p in np.argwhere(foreground).tolist()} - labels.keys()
    front = dict(labels)
    for step in range(1, steps + 1):
        edge_claims: dict[tuple[int, int], int] = {}
        for (y, x), label in front.items():
            for dy, dx in EDGES:
                if (y + dy, x + dx) in open_pixels:
                    known = edge_claims.get((y + dy, x + dx), label)
                    edge_claims[y + dy, x + dx] = min(known, label)
        corner_claims: dict[tuple[int, int], int] = {}
        for (y, x), label in front.items() if step % 2 == 0 else ():
            for dy, dx in EDGES:
                if edge_claims.get((y + dy, x + dx)) == label:
                    for turn in (-1, 1):
                        corner = (y + dy + turn * dx, x + dx + turn * dy)
                        if corner in open_pixels and corner not in edge_claims:
                            corner_claims[corner] = min(corner_claims.get(corner, label), label)
        front = {**edge_claims, **corner_claims}
        labels |= front
        open_pixels -= front.keys()
    grown = np.zeros_like(seeds)
    for pixel, label in labels.items():
        grown[pixel] = label
    return grown
