"""Models that know what the test rasters hold, and some that misbehave. Importable by workers."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rsvlm_geo.vlm import ClassInfo, ModelInfo, Question, Reply

SIDE = 128


def find_spots(image: np.ndarray) -> np.ndarray:
    """Boxes of bright blobs, by flood fill on a 4-neighbourhood."""
    bright = image.min(axis=2) > 200
    boxes = []
    while bright.any():
        seed = np.zeros_like(bright)
        seed[tuple(np.argwhere(bright)[0])] = True
        while True:
            grown = seed.copy()
            grown[1:] |= seed[:-1]
            grown[:-1] |= seed[1:]
            grown[:, 1:] |= seed[:, :-1]
            grown[:, :-1] |= seed[:, 1:]
            grown &= bright
            if (grown == seed).all():
                break
            seed = grown
        rows, cols = np.nonzero(seed)
        boxes.append((cols.min(), rows.min(), cols.max() + 1, rows.max() + 1))
        bright &= ~seed
    return np.array(boxes, dtype=np.float64).reshape(-1, 4)


class SpotCounter:
    """Counts bright squares; says yes when there is one."""

    def __init__(self, version: str = "1") -> None:
        self.info = ModelInfo(
            name="spot-counter", image_size=SIDE, tasks=frozenset({"count", "presence", "ask"}),
            classes=(ClassInfo("spot", size_m=8.0),), version=version, batch=8,
        )  # fmt: skip

    def ask(self, images: np.ndarray, questions: Sequence[Question]) -> list[list[Reply]]:
        return [[self._one(find_spots(image), q) for q in questions] for image in images]

    def _one(self, boxes: np.ndarray, question: Question) -> Reply:
        if question.task == "count":
            n = len(boxes)
            return Reply(str(n), boxes=boxes, labels=("spot",) * n, scores=np.full(n, 0.9))
        return Reply("yes" if len(boxes) else "no")


class SlowSpotCounter(SpotCounter):
    """Takes a while for each image, so that there is time to be killed."""

    def ask(self, images: np.ndarray, questions: Sequence[Question]) -> list[list[Reply]]:
        time.sleep(float(os.environ.get("ORACLE_SLEEP", "0.03")) * len(images))
        return super().ask(images, questions)


class Waiting(SpotCounter):
    """Waits for a set time an image, computing nothing: as a GPU or an endpoint would."""

    def ask(self, images: np.ndarray, questions: Sequence[Question]) -> list[list[Reply]]:
        time.sleep(0.02 * len(images))
        return [[Reply("0", value=0.0) for _ in questions] for _ in images]


class Poison(SpotCounter):
    """Kills its process on an image with a pure white corner."""

    def ask(self, images: np.ndarray, questions: Sequence[Question]) -> list[list[Reply]]:
        if any((image[:4, :4] == 255).all() for image in images):
            os._exit(17)
        return super().ask(images, questions)


class Broken(SpotCounter):
    """Never works."""

    def ask(self, images: np.ndarray, questions: Sequence[Question]) -> list[list[Reply]]:
        raise RuntimeError("no such luck")


def log_call(name: str) -> None:
    """Leave a trace that a worker did something, for tests to count."""
    folder = os.environ.get("ORACLE_LOG")
    if folder:
        (Path(folder) / f"{name}-{os.getpid()}").touch()


class Logged(SpotCounter):
    """Notes each time it is made."""

    def __init__(self) -> None:
        super().__init__()
        log_call(f"made-{time.monotonic_ns()}")
