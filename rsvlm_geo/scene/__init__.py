"""From a path, URL, dataset or array to tiles that a model can be shown.

::

    scene = open_scene("a.tif")                            # lazy, frozen, picklable
    plan = plan_tiles(scene, model.info, margin_m=12.0, aoi="field.gpkg")
    meter = CoverageMeter(plan)
    with closing(iter_batches(scene, plan, batch=8, skip=done)) as batches:
        for batch in batches:                              # row-major, read ahead
            replies = model.ask(batch.images, questions) if len(batch.images) else []
            for item in batch.items:                       # ok, nodata and failed tiles
                meter.add(item)
            merged = merger.flush(batch.rows_done)         # rsvlm_geo.georef.Merger
    meter.coverage()

``replies`` belong to ``batch.shown``, in order.
"""

from rsvlm_geo.scene.batches import CoverageMeter, TileBatch, iter_batches, iter_tiles
from rsvlm_geo.scene.model import Scene
from rsvlm_geo.scene.opening import open_scene
from rsvlm_geo.scene.plan import TilePlan, object_margin_m, plan_tiles
from rsvlm_geo.scene.radiometry import Stretch
from rsvlm_geo.scene.reader import RetryPolicy, TileImage, TileReader, read_tile
from rsvlm_geo.scene.source import BandPart, FileSource, Pixels, RasterFacts, Source

__all__ = [
    "BandPart",
    "CoverageMeter",
    "FileSource",
    "Pixels",
    "RasterFacts",
    "RetryPolicy",
    "Scene",
    "Source",
    "Stretch",
    "TileBatch",
    "TileImage",
    "TilePlan",
    "TileReader",
    "iter_batches",
    "iter_tiles",
    "object_margin_m",
    "open_scene",
    "plan_tiles",
    "read_tile",
]
