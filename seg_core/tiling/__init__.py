"""From slide to maps: a grid of overlapping tiles, asked of the network and blended."""

from seg_core.tiling.blend import Blender
from seg_core.tiling.grid import TileGrid
from seg_core.tiling.predict import predict, tiles_by_row

__all__ = ["Blender", "TileGrid", "predict", "tiles_by_row"]
