"""Captions by rule, search over a million tiles, and embedding a scene against its encoder."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from harness import Row, interleave, record

from rsvlm_geo.annotated import AnnotatedImage, Box
from rsvlm_geo.captions.facts import facts_of
from rsvlm_geo.captions.rules import fuse_by_rule, rule_captions
from rsvlm_geo.retrieval.index import VectorSearch


def captions() -> Row:
    """Six captions an image, by rule."""
    rng = np.random.default_rng(0)
    names = ("airplane", "car", "tree", "ship", "storage_tank")
    images = []
    for i in range(2000):
        xy = rng.uniform(0, 230, (int(rng.integers(0, 12)), 2))
        boxes = tuple(Box(names[int(rng.integers(5))], (x, y, x + 20, y + 15)) for x, y in xy)
        images.append(
            AnnotatedImage(f"i{i}", Path("x"), (256, 256), "b", "", "", boxes, frozenset(names),
                           "harbor", frozenset(("trees", "pavement")), 0.3)
        )  # fmt: skip
    rates = []
    for _ in range(5):
        start = time.process_time()
        for image in images:
            facts = facts_of(image)
            rule_captions(image, facts)
            fuse_by_rule(image, facts)
        rates.append(len(images) / (time.process_time() - start))
    middle = statistics.median(rates)
    return Row("five rule captions and their fusion, processor time", middle, "images/s", 5,
               min(rates), max(rates), None, ">= 1000 images/s", middle >= 1000)  # fmt: skip


def search() -> list[Row]:
    """A million vectors of 192 numbers: processor time, and wall time as the machine allows."""
    rng = np.random.default_rng(0)
    vectors = np.empty((1_000_000, 192), np.float32)
    for i in range(0, len(vectors), 100_000):
        part = rng.standard_normal((100_000, 192), dtype=np.float32)
        vectors[i : i + 100_000] = part / np.linalg.norm(part, axis=1, keepdims=True)
    engine = VectorSearch(vectors)
    queries = iter(rng.standard_normal((64, 192)).astype(np.float32))

    def one() -> None:
        query = next(queries)
        engine.search(query / np.linalg.norm(query), 10)

    one()
    cpu = [1e3 * s for s in interleave({"s": one}, 15, time.process_time)["s"]]
    wall = [1e3 * s for s in interleave({"s": one}, 15)["s"]]
    both, waited = statistics.median(cpu), statistics.median(wall)
    return [
        Row("search of 10^6 tiles, processor time", both, "ms", 15, min(cpu), max(cpu)),
        Row("search of 10^6 tiles, wall time", waited, "ms", 15, min(wall), max(wall), None,
            "<= 50", waited <= 50),
    ]  # fmt: skip


def embedding() -> Row:
    """Indexing a scene against the encoder alone on the same images."""
    import rasterio
    from rasterio.transform import from_origin

    from rsvlm_geo.model import load_model
    from rsvlm_geo.retrieval import index_scene

    class Base:
        def __init__(self) -> None:
            self.model = load_model(None)
            self.info = self.model.info

        def embed_images(self, images):
            return self.model.embed(images)

        def embed_texts(self, texts):
            return np.zeros((len(texts), 1280), np.float32)

    base = Base()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s.tif"
        pixels = np.random.default_rng(0).integers(0, 255, (3, 1024, 1024), dtype=np.uint8)
        with rasterio.open(path, "w", driver="GTiff", width=1024, height=1024, count=3,
                           dtype="uint8", crs="EPSG:32618", tiled=True,
                           transform=from_origin(5e5, 4.6e6, 0.3, 0.3)) as out:  # fmt: skip
            out.write(pixels)
        count = len(index_scene(path, base, scales=(1.0,))[0])
        tiles = np.random.default_rng(1).integers(0, 255, (count, 256, 256, 3), dtype=np.uint8)

        def alone() -> None:
            for i in range(0, count, base.info.batch):
                base.embed_images(tiles[i : i + base.info.batch])

        took = interleave(
            {"encoder": alone, "scene": lambda: index_scene(path, base, scales=(1.0,))}, 3
        )
    ratios = [a / b for a, b in zip(took["encoder"], took["scene"], strict=True)]
    middle = statistics.median(ratios)
    return Row("embedding a scene", middle, "x", 3, min(ratios), max(ratios),
               "the encoder alone on as many images", ">= 0.9", middle >= 0.9)  # fmt: skip


def main() -> None:
    """Measure and record."""
    record("data", [captions(), *search(), embedding()])


if __name__ == "__main__":
    main()
