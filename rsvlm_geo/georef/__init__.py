"""From a model's pixels to the map: placing, measuring, and merging across tiles.

::

    merger = Merger(plan, scene.window)
    merger.add(tile, answer.boxes, answer.labels, answer.scores)     # model's pixels
    merged = merger.flush(batch.rows_done)                           # ... then merger.finish()
    rings = place_boxes(merged.boxes, scene)                         # float64[n, 5, 2], scene.crs
    sizes = measure(merged.boxes, scene)                             # geodesic m2 and m
"""

from rsvlm_geo.georef.merge import Merged, Merger
from rsvlm_geo.georef.place import (
    Measures,
    box_rings,
    measure,
    place_boxes,
    place_points,
    place_polygon,
    place_windows,
    to_lonlat,
    to_scene_boxes,
)

__all__ = [
    "Measures",
    "Merged",
    "Merger",
    "box_rings",
    "measure",
    "place_boxes",
    "place_points",
    "place_polygon",
    "place_windows",
    "to_lonlat",
    "to_scene_boxes",
]
