"""Captions by rule, search over a million tiles, and embedding a scene against its encoder."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from harness import Row, interleave, ratio_row, record

from rsvlm_geo.annotated import AnnotatedImage, Box
from rsvlm_geo.captions.facts import facts_of
from rsvlm_geo.captions.rules import fuse_by_rule, rule_captions
from rsvlm_geo.retrieval.scan import VectorSearch


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
    """A million vectors of 192 numbers, ten best: time, and whether they are the right ten.

    Random directions, which nothing can order beforehand: the hardest case for the scan in bytes.
    """
    rng = np.random.default_rng(0)
    vectors = np.empty((1_000_000, 192), np.float32)
    for i in range(0, len(vectors), 100_000):
        part = rng.standard_normal((100_000, 192), dtype=np.float32)
        vectors[i : i + 100_000] = part / np.linalg.norm(part, axis=1, keepdims=True)
    start = time.perf_counter()
    engine = VectorSearch(vectors)
    ready = time.perf_counter() - start
    queries = rng.standard_normal((30, 192)).astype(np.float32)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    exact = [set(np.argpartition(-(vectors @ q), 9)[:10].tolist()) for q in queries]

    def timed(clock: Callable[[], float], find: Callable[[np.ndarray], object]) -> list[float]:
        out = []
        for query in queries:
            begun = clock()
            find(query)
            out.append(1e3 * (clock() - begun))
        return out

    def plain(query: np.ndarray) -> object:
        scores = vectors @ query
        return np.argpartition(scores, len(scores) - 10)

    wall = timed(time.perf_counter, lambda q: engine.search(q, 10))
    full = timed(time.perf_counter, plain)
    cpu = timed(time.process_time, lambda q: engine.search(q, 10))
    shares = [
        len(found & set(engine.search(q, 10)[0].tolist())) / 10
        for q, found in zip(queries, exact, strict=True)
    ]
    n, waited = len(queries), statistics.median(wall)
    right = statistics.mean(shares)
    return [
        Row("search of 10^6 tiles, wall time", waited, "ms", n, min(wall), max(wall), None,
            "<= 50", waited <= 50),
        Row("search of 10^6 tiles, processor time of both cores", statistics.median(cpu), "ms", n,
            min(cpu), max(cpu)),
        Row("search of 10^6 tiles, recall at 10", right, "share", n, min(shares), max(shares),
            "all compared in float32", ">= 0.99", right >= 0.99),
        ratio_row("search of 10^6 tiles", full, wall, compared_with="numpy in float32", bar=1.0),
        Row("making 10^6 vectors ready to be searched", ready, "s"),
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
        pixels = np.random.default_rng(0).integers(0, 255, (3, 2048, 2048), dtype=np.uint8)
        with rasterio.open(path, "w", driver="GTiff", width=2048, height=2048, count=3,
                           dtype="uint8", crs="EPSG:32618", tiled=True,
                           transform=from_origin(5e5, 4.6e6, 0.3, 0.3)) as out:  # fmt: skip
            out.write(pixels)
        count = len(index_scene(path, base, scales=(1.0,))[0])
        tiles = np.random.default_rng(1).integers(0, 255, (count, 256, 256, 3), dtype=np.uint8)

        def alone() -> None:
            for i in range(0, count, base.info.batch):
                base.embed_images(tiles[i : i + base.info.batch])

        took = interleave(
            {"encoder": alone, "scene": lambda: index_scene(path, base, scales=(1.0,))}, 5
        )
    ratios = [a / b for a, b in zip(took["encoder"], took["scene"], strict=True)]
    middle = statistics.median(ratios)
    return Row(
        f"embedding a scene of {count} tiles", middle, "x", len(ratios), min(ratios), max(ratios),
        "the encoder alone on as many images in memory", ">= 0.9", middle >= 0.9,
    )  # fmt: skip


def main() -> None:
    """Measure and record."""
    record("data", [captions(), *search(), embedding()])


if __name__ == "__main__":
    main()
