"""From a path, URL, dataset or array to tiles that a model can be shown.

``open_scene(source) -> Scene``, ``plan_tiles(scene, info) -> TilePlan``,
``iter_batches(scene, plan) -> TileBatch ...``. SIGNATURES FIRST; bodies follow.

What the pipeline needs, in one page::

    scene = open_scene("a.tif")                       # lazy, frozen, picklable
    plan = plan_tiles(scene, model.info, margin_m=12.0, aoi="field.gpkg")
    meter = CoverageMeter(plan)
    with closing(iter_batches(scene, plan, batch=8, min_valid=0.02, skip=done_ids)) as batches:
        for batch in batches:                          # row-major
            replies = model.ask(batch.images, questions) if len(batch.images) else []
            #  batch.items: every tile of this stretch of the grid, in order
            #  item.status: "ok" | "nodata" | "failed"; item.image_index: row of batch.images or None
            for item in batch.items:
                meter.add(item)
            batch.rows_done                            # grid rows complete: merger.flush(rows_done)
    meter.coverage()                                   # rsvlm_geo.answers.Coverage

    Scene: href, name, width, height, count, dtype, indexes, band_names, panchromatic, crs
           (rasterio CRS | None), transform (Affine6 | None), georef_kind
           ("affine"|"gcps"|"rpcs"|"none"), gsd_m, gsd_x_m, gsd_y_m (None when unknown), datetime,
           etag, stretch, notes (tuple of plain sentences), provenance() -> JSON-able dict,
           to_map(xy_px) -> xy in scene.crs, to_pixels(xy_map) -> xy_px, bounds, footprint()
    TilePlan: grid, image_size, gsd_m (as read; None if unknown), native_gsd_m, margin_m,
           tiles() row-major in the area of interest, len(plan), aoi_frac(tile), contains(xy_px)
    TileImage (batch.items): tile, status, valid_frac (of the core), valid (bool[S,S]), error
    georef: place_boxes(boxes_scene_px, scene) -> rings float64[n,5,2] in scene.crs (pixels if none)
            measure(rings, scene) -> Measures(area_m2[n], perimeter_m[n])
            Merger(plan): add(tile, boxes, labels, scores); flush(rows_done) / finish() -> Merged
            Merged: boxes float64[n,4] scene px, labels, scores, tile_ids, joined, truncated
"""
