"""The results of a run as STAC: an Item per scene, one for the model, a Collection."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rsvlm_geo.batch.finish import SceneDone
from rsvlm_geo.batch.spec import BatchSpec
from rsvlm_geo.batch.work import now
from rsvlm_geo.stac.mlm import model_item
from rsvlm_geo.stac.out import SceneFacts, asset_of, run_collection, scene_item, write_json
from rsvlm_geo.stac.validation import validate
from rsvlm_geo.vlm import ModelInfo

__all__ = ["publish"]

_TITLES = {
    "answers": "Answers, one row per tile and question",
    "objects": "Objects, merged across tiles",
    "run": "What was asked, of what, and how much was seen",
}


def publish(
    root: Path, scenes: Sequence[SceneDone], info: ModelInfo, spec: BatchSpec
) -> list[Path]:
    """Write the STAC documents of a run, validated; scenes without a place on Earth have none.

    Raises:
        StacError: A document is not valid: a mistake of this library.
    """
    finished = now().replace("+00:00", "Z")
    model = model_item(info, created=finished)
    validate(model)
    written = [write_json(model, root / "model.json")]
    items, links = [], []
    name = f"rsvlm-{root.name}"
    for scene in scenes:
        if not scene.usable or scene.stac is None:
            continue
        home = root / "scenes" / scene.key
        assets = {
            key: asset_of(home / f"{key}.parquet", home, title=title)
            for key, title in _TITLES.items()
            if (home / f"{key}.parquet").exists()
        }
        facts = _facts(scene)
        item = scene_item(
            facts,
            assets,
            run_id=scene.run_id,
            finished=finished,
            model=info.name,
            model_href="../../model.json",
            collection=name,
        )
        for link in item["links"]:
            if link["rel"] in ("collection", "parent", "root"):
                link["href"] = "../../collection.json"
        validate(item)
        written.append(write_json(item, home / "item.json"))
        items.append({"bbox": item["bbox"], "properties": item["properties"]})
        links.append(
            {
                "rel": "item",
                "href": f"./scenes/{scene.key}/item.json",
                "type": "application/geo+json",
            }
        )
    merged = {
        path.stem: asset_of(path, root, title=f"{title}, all scenes")
        for key, title in _TITLES.items()
        if (path := root / f"{key}.parquet").exists()
    }
    if (gpkg := root / "results.gpkg").exists():
        merged["results"] = asset_of(gpkg, root, title="All of it, styled for QGIS")
    collection = run_collection(
        items,
        run_id=root.name,
        description=f"{info.name} was asked of {len(scenes)} scenes: {_asked(spec)}",
        assets={k: _without_table(v) for k, v in merged.items()},
        links=links,
    )
    validate(collection)
    written.append(write_json(collection, root / "collection.json"))
    return written


def _facts(scene: SceneDone) -> SceneFacts:
    data: dict[str, Any] = dict(scene.stac or {})
    box = data.pop("bbox")
    transform = data.pop("transform")
    return SceneFacts(
        bbox=(box[0], box[1], box[2], box[3]),
        shape=tuple(data.pop("shape")),
        transform=None if transform is None else tuple(transform),
        questions=tuple(data.pop("questions")),
        coverage=scene.coverage,
        totals=tuple(scene.totals),
        **data,
    )


def _asked(spec: BatchSpec) -> str:
    said = []
    for ask in spec.asks:
        words = ask.question or " ".join([ask.task, *ask.target])
        said.append(words)
    return "; ".join(said)


def _without_table(asset: dict[str, Any]) -> dict[str, Any]:
    """A Collection that lists table columns would have to carry them at its top as well."""
    return {key: value for key, value in asset.items() if not key.startswith("table:")}
