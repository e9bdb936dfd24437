"""The command line with a model behind it that sees exactly what a test painted.

``python oracle_cli.py count scene.tif thing ...``. The environment says how the model behaves:
``ORACLE_LOG`` a file that gets a line per image it is shown, ``ORACLE_SLEEP`` seconds per image,
``ORACLE_DIE_AFTER`` images until it kills its own process, ``ORACLE_SIZE`` side of its image.
"""

from __future__ import annotations

import hashlib
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from factories import Oracle
from numpy.typing import NDArray

from rsvlm_geo.vlm import ClassInfo, ModelInfo, Question, Reply

__all__ = ["Seer"]

CLASSES = (
    ClassInfo("thing", size_m=10.0, min_size_m=2.0, synonyms=("patch",)),
    ClassInfo("ship", size_m=30.0, min_size_m=8.0, max_gsd_m=5.0),
)


class Seer(Oracle):
    """The oracle, with classes, refusals and a way to misbehave.

    Args:
        image_size: Side of its image.
        trouble: Called with every image it is shown; may raise.
        changes: Fields of its :class:`ModelInfo` to change.
    """

    def __init__(
        self,
        image_size: int = 128,
        *,
        trouble: Callable[[NDArray[np.uint8]], object] | None = None,
        refuse: Callable[[NDArray[np.uint8]], bool] = lambda image: False,
        **changes: object,
    ) -> None:
        super().__init__(image_size)
        self.trouble, self.refuse, self.changes = trouble, refuse, changes
        self.batches: list[int] = []

    @property
    def info(self) -> ModelInfo:
        usual: dict[str, object] = {
            "tasks": frozenset({"count", "locate", "presence", "caption", "classify", "ask"}),
            "classes": CLASSES,
            "batch": 4,
        }
        return ModelInfo("oracle", self.image_size, **{**usual, **self.changes})  # type: ignore[arg-type]

    def ask(self, images: NDArray[np.uint8], questions: Sequence[Question]) -> list[list[Reply]]:
        self.batches.append(len(images))
        replies = []
        for image in images:
            if self.trouble is not None:
                self.trouble(image)
            self.shown += 1
            boxes = self.find(image)
            replies.append([self.answer(image, boxes, question) for question in questions])
        return replies

    def answer(
        self, image: NDArray[np.uint8], boxes: NDArray[np.float64], question: Question
    ) -> Reply:
        if self.refuse(image):
            return Reply("I cannot tell.", p_unanswerable=0.9, reason="invisible")
        n = len(boxes)
        if question.task in ("count", "locate"):
            labels = (question.target or "thing",) * n
            return Reply(str(n), boxes=boxes, labels=labels, scores=np.full(n, 0.9))
        if question.task == "classify":
            p = 0.9 if n else 0.25
            return Reply("", candidates={"dense_things": p, "bare_land": 1 - p})
        if question.candidates is not None:
            p = 0.9 if n else 0.1
            first, *others = question.candidates
            return Reply("", candidates={first: p, **dict.fromkeys(others, (1 - p) / len(others))})
        return Reply(f"A picture with {n} bright patches on plain ground.", confidence=0.8)


def behave(image: NDArray[np.uint8]) -> None:
    """Do what the environment says."""
    time.sleep(float(os.environ.get("ORACLE_SLEEP", "0")))
    log = os.environ.get("ORACLE_LOG")
    if log:
        seen = Path(log).read_text().count("\n") if Path(log).exists() else 0
        if seen >= int(os.environ.get("ORACLE_DIE_AFTER", "1000000000")):
            os.kill(os.getpid(), signal.SIGKILL)
        with Path(log).open("a") as file:
            file.write(hashlib.sha256(image.tobytes()).hexdigest() + "\n")


def drive() -> None:
    """Run the command line."""
    import rsvlm_geo.model
    from rsvlm_geo.cli import main

    size = int(os.environ.get("ORACLE_SIZE", "128"))
    rsvlm_geo.model.load_model = lambda *_, **__: Seer(size, trouble=behave)  # type: ignore[assignment]
    main(sys.argv[1:], prog_name="rsvlm-geo")


if __name__ == "__main__":
    drive()
