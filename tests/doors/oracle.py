"""A model that knows: it sees the red boxes that a test painted. Also a driver for subprocesses.

``python oracle.py count scene.tif car ...`` is the command line with this model behind it. The
environment says how it behaves: ``ORACLE_LOG`` file that gets a line per asked image,
``ORACLE_SLEEP`` seconds per image, ``ORACLE_DIE_AFTER`` images until it kills its own process,
``ORACLE_FAIL`` text to fail with on images whose top left pixel is blue.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from rsvlm_geo.vlm import ClassInfo, ModelInfo, Question, Reply

CLASSES = (
    ClassInfo("car", size_m=6.0, min_size_m=2.0, synonyms=("vehicle",)),
    ClassInfo("ship", size_m=30.0, min_size_m=8.0, max_gsd_m=5.0),
)
TASKS = frozenset({"caption", "classify", "count", "locate", "presence", "ask"})


def red_boxes(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    """float64[n, 4]: bounds of each connected red area, by union of runs."""
    red = (image[..., 0] > 200) & (image[..., 1] < 80) & (image[..., 2] < 80)
    boxes: list[list[int]] = []
    for y in np.flatnonzero(red.any(axis=1)):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], red[y].astype(np.int8), [0]])))
        for x0, x1 in zip(edges[::2], edges[1::2], strict=True):
            for box in boxes:
                if box[3] == y and x0 < box[2] and x1 > box[0]:
                    box[0], box[2], box[3] = min(box[0], x0), max(box[2], x1), y + 1
                    break
            else:
                boxes.append([int(x0), int(y), int(x1), int(y) + 1])
    return np.array(boxes, dtype=np.float64).reshape(-1, 4)


class Oracle:
    """Answers exactly, about red boxes; a scene is ``beach`` when it is bright."""

    def __init__(self, image_size: int = 64, **info: Any) -> None:
        info.setdefault("tasks", TASKS)
        info.setdefault("classes", CLASSES)
        info.setdefault("batch", 4)
        self._info = ModelInfo("oracle", image_size, **info)
        self.asked = 0
        self.batches: list[int] = []

    @property
    def info(self) -> ModelInfo:
        """What it says it is."""
        return self._info

    def ask(self, images: NDArray[np.uint8], questions: Sequence[Question]) -> list[list[Reply]]:
        """Exact replies."""
        self.batches.append(len(images))
        return [self._one(image, questions) for image in images]

    def _one(self, image: NDArray[np.uint8], questions: Sequence[Question]) -> list[Reply]:
        self._behave(image)
        self.asked += 1
        boxes = red_boxes(image)
        return [self._reply(boxes, image, question) for question in questions]

    def _behave(self, image: NDArray[np.uint8]) -> None:
        time.sleep(float(os.environ.get("ORACLE_SLEEP", "0")))
        if os.environ.get("ORACLE_FAIL") and tuple(image[0, 0]) == (0, 0, 255):
            raise RuntimeError(os.environ["ORACLE_FAIL"])
        log = os.environ.get("ORACLE_LOG")
        if log:
            with open(log, "a") as file:
                file.write(f"{hash(image.tobytes())}\n")
        if self.asked >= int(os.environ.get("ORACLE_DIE_AFTER", "1000000000")):
            os.kill(os.getpid(), signal.SIGKILL)

    def _reply(
        self, boxes: NDArray[np.float64], image: NDArray[np.uint8], question: Question
    ) -> Reply:
        n = len(boxes)
        if question.task in ("count", "locate"):
            labels = (question.target or "object",) * n
            return Reply(str(n), boxes=boxes, labels=labels, scores=np.full(n, 0.9))
        if question.task == "classify":
            bright = float(image.mean() > 128)
            p = 0.2 + 0.6 * bright
            return Reply("", candidates={"beach": p, "dense_forest": 1 - p})
        if question.candidates is not None:
            p = 0.9 if n else 0.1
            rest = (1 - p) / (len(question.candidates) - 1)
            first, *others = question.candidates
            return Reply("", candidates={first: p, **dict.fromkeys(others, rest)})
        return Reply(f"A picture with {n} red boxes on plain ground.", confidence=0.8)


def footprints(boxes: Sequence[Sequence[float]]) -> NDArray[np.object_]:
    """Boxes as shapely polygons in pixels."""
    b = np.asarray(boxes, dtype=np.float64)
    return np.asarray(shapely.box(b[:, 0], b[:, 1], b[:, 2], b[:, 3]))


def _drive() -> None:
    import rsvlm_geo.model
    from rsvlm_geo.cli import main

    size = int(os.environ.get("ORACLE_SIZE", "64"))
    rsvlm_geo.model.load_model = lambda *_, **__: Oracle(size)  # type: ignore[assignment]
    main(sys.argv[1:], prog_name="rsvlm-geo")


if __name__ == "__main__":
    _drive()
