"""From answered tiles to tables: one row per tile and question, objects merged across seams.

Tiles are taken in any order and merged row by row, so that a run that was resumed gives the same
tables as one that was not.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from rsvlm_geo.answers import Answer, Coverage
from rsvlm_geo.georef import Merged, Merger, measure, place_boxes
from rsvlm_geo.grid import Tile
from rsvlm_geo.layers import (
    ANSWER_COLUMNS,
    OBJECT_COLUMNS,
    RUN_COLUMNS,
    Layers,
    StyleFacts,
    make_frame,
    polygons,
)
from rsvlm_geo.layers.style import REASON_WORDS
from rsvlm_geo.pipeline.gates import Gate
from rsvlm_geo.pipeline.store import TileAnswers
from rsvlm_geo.pipeline.totals import Total
from rsvlm_geo.scene import Scene, TilePlan
from rsvlm_geo.tasks import TASKS, class_phrase
from rsvlm_geo.vlm import ModelInfo, Question

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = [
    "Collector",
    "asked_area",
    "core_rings",
    "map_crs",
    "owned",
    "question_kind",
    "question_title",
]

_BOX_TASKS = ("count", "locate")


class Collector:
    """Takes answered tiles, gives the tables, totals and coverage of a run."""

    def __init__(
        self,
        scene: Scene,
        plan: TilePlan,
        questions: Sequence[Question],
        gates: Sequence[Gate | None],
        info: ModelInfo,
        run_id: str,
    ) -> None:
        self.scene, self.plan, self.info, self.run_id = scene, plan, info, run_id
        self.questions, self.gates = tuple(questions), tuple(gates)
        self.with_objects = any(question.task in _BOX_TASKS for question in questions)
        self._done: dict[str, TileAnswers] = {}
        self._coverages: dict[int | None, Coverage] = {}

    def add(self, tile: TileAnswers) -> None:
        """Take one tile's answers."""
        self._done[tile.tile_id] = tile
        self._coverages.clear()

    def __len__(self) -> int:
        return len(self._done)

    def statuses(self) -> dict[str, int]:
        """Status -> answers."""
        return dict(Counter(a.status for t in self._done.values() for a in t.answers))

    def coverage(self, index: int | None = None) -> Coverage:
        """Of one question, or of the run: refused or failed where any question was."""
        if index not in self._coverages:
            self._coverages[index] = self._add_up(index)
        return self._coverages[index]

    @cached_property
    def _areas(self) -> dict[str, float]:
        """Tile -> pixels it answers for; with an area of polygons each takes a while to cut."""
        return {tile.tile_id: self.plan.area_px(tile) for tile in self.plan.tiles()}

    def _add_up(self, index: int | None) -> Coverage:
        sums = dict.fromkeys(("seen", "nodata", "failed", "pending", "refused"), 0.0)
        whole = 0.0
        for tile_id, weight in self._areas.items():
            whole += weight
            done = self._done.get(tile_id)
            if done is None:
                sums["pending"] += weight
                continue
            answers = done.answers if index is None else (done.answers[index],)
            found = {answer.status for answer in answers}
            valid = weight * (1.0 if done.state == "failed" else done.valid_frac)
            if done.state == "nodata":
                valid = 0.0
            sums["nodata"] += weight - valid
            if "failed" in found:
                sums["failed"] += valid
                continue
            sums["seen"] += valid
            if found & {"refused", "unreadable"}:
                sums["refused"] += valid
        if whole <= 0:
            return Coverage(seen=0.0, nodata=1.0, failed=0.0)
        return Coverage(**{name: share / whole for name, share in sums.items()})

    def coverage_words(self) -> str:
        """The run's coverage for people: of several questions, which were refused, and where."""
        whole = self.coverage()
        if len(self.questions) == 1 or not whole.refused:
            return str(whole)
        shares = {
            question_title(question): share
            for index, question in enumerate(self.questions)
            if (share := self.coverage(index).refused) > 0
        }
        words = [f"{title[0].lower()}{title[1:]} {share:.1%}" for title, share in shares.items()]
        if len(words) == len(self.questions) and len(set(shares.values())) == 1:
            words = [f"every question {whole.refused:.1%}"]
        more = f" and {len(words) - 4} more questions" if len(words) > 4 else ""
        return f"{replace(whole, refused=0.0)}; refused: {', '.join(words[:4])}{more}"

    def finish(self) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame | None, tuple[Total, ...]]:
        """Answers, objects, and a total per counted class."""
        tiles = [tile for tile in self.plan.tiles() if tile.tile_id in self._done]
        merged: dict[int, Merged] = {}
        for index, question in enumerate(self.questions):
            if question.task in _BOX_TASKS and self._first_of_its_kind(index):
                merged[index] = self._merge(index, tiles)
        totals = tuple(self._total(index, found, tiles) for index, found in merged.items())
        objects = self._objects(list(merged.values())) if self.with_objects else None
        return self._answers(tiles, merged), objects, totals

    def _first_of_its_kind(self, index: int) -> bool:
        """Whether no earlier question asks for the same objects."""
        mine = self.questions[index].target
        return not any(q.task in _BOX_TASKS and q.target == mine for q in self.questions[:index])

    def _merge(self, index: int, tiles: Sequence[Tile]) -> Merged:
        merger = Merger(self.plan, self.scene.window)
        for tile in tiles:
            answer = self._done[tile.tile_id].answers[index]
            if answer.boxes is not None and len(answer.boxes):
                merger.add(tile, answer.boxes, answer.labels, answer.scores)
        return _inside(merger.finish(), self.plan)

    def _total(self, index: int, merged: Merged, tiles: Sequence[Tile]) -> Total:
        question = self.questions[index]
        value, estimated = float(len(merged.boxes)), False
        for tile in tiles:
            answer = self._done[tile.tile_id].answers[index]
            if answer.boxes is None and answer.status == "answered" and answer.value is not None:
                value, estimated = value + answer.value * _share(tile), True
        if estimated:
            value = round(value, 1)
        label = question.target or "objects"
        unit = "candidates" if question.task == "locate" else "objects"
        why = self._why_refused(index)
        return Total(value, label, self.coverage(index), unit, estimated, why)

    def _why_refused(self, index: int) -> str:
        """Why one question was refused, with the limits where the size of a pixel is the reason."""
        question, closed = self.questions[index], self.gates[index]
        if closed is not None:
            return f"refused ({closed.why})"
        said = Counter(done.answers[index].reason for done in self._done.values())
        reasons = [name for name, _ in said.most_common() if name is not None]
        if not reasons:
            return "unreadable"
        words = ", ".join(REASON_WORDS.get(name, name) for name in reasons)
        known = self.info.find_class(question.target or "")
        if "below_gsd" in reasons and known and known.max_gsd_m and question.gsd_m:
            words += f": needs <= {known.max_gsd_m:g} m, shown {question.gsd_m:.3g} m"
        return f"refused ({words})"

    def _answers(self, tiles: Sequence[Tile], merged: Mapping[int, Merged]) -> gpd.GeoDataFrame:
        rows: dict[str, list[Any]] = {name: [] for name in ANSWER_COLUMNS}
        owners = {index: Counter(found.tile_ids) for index, found in merged.items()}
        rings = core_rings(tiles, self.scene)
        which: list[int] = []
        for at, tile in enumerate(tiles):
            done = self._done[tile.tile_id]
            for index, (question, answer) in enumerate(
                zip(self.questions, done.answers, strict=True)
            ):
                text, value, count = answer.text, answer.value, answer.n_objects
                if answer.status == "answered" and answer.boxes is not None and index in owners:
                    count = owners[index][tile.tile_id]
                    value, text = float(count), str(count)
                row = {
                    "run_id": self.run_id, "scene_id": self.scene.name, "tile_id": tile.tile_id,
                    "task": answer.task, "question": answer.question, "target": question.target,
                    "status": answer.status, "answer": text or None, "value": value,
                    "unit": answer.unit, "confidence": answer.confidence,
                    "reason": answer.reason, "n_objects": count, "gsd_m": self.scene.gsd_m,
                    "valid_frac": done.valid_frac, "model": self.info.name,
                    "elapsed_ms": done.elapsed_ms, "datetime": self.scene.datetime,
                }  # fmt: skip
                for name, cell in row.items():
                    rows[name].append(cell)
                which.append(at)
        geometry = polygons(rings)[which] if which else polygons(rings[:0])
        return make_frame(ANSWER_COLUMNS, rows, geometry, map_crs(self.scene))

    def _objects(self, merged: Sequence[Merged]) -> gpd.GeoDataFrame:
        boxes = np.concatenate([np.zeros((0, 4)), *(found.boxes for found in merged)])
        labels = [label for found in merged for label in found.labels]
        tile_ids = [tile_id for found in merged for tile_id in found.tile_ids]
        scores = [score for found in merged for score in found.scores]
        rings = place_boxes(boxes, self.scene)
        areas: list[float | None] = [None] * len(boxes)
        if self.scene.georeferenced and len(boxes):
            areas = list(measure(boxes, self.scene).area_m2)
        n = len(boxes)
        rows: dict[str, Sequence[Any]] = {
            "run_id": [self.run_id] * n, "scene_id": [self.scene.name] * n, "tile_id": tile_ids,
            "object_id": list(range(1, n + 1)), "label": labels, "score": scores,
            "area_m2": areas, "datetime": [self.scene.datetime] * n,
        }  # fmt: skip
        return make_frame(
            OBJECT_COLUMNS, rows, polygons(_upright(rings, self.scene)), map_crs(self.scene)
        )

    def layers(
        self,
        answers: gpd.GeoDataFrame,
        objects: gpd.GeoDataFrame | None,
        totals: Sequence[Total],
        *,
        task: str,
        summary: str,
        started: str,
        finished: str,
        provenance: Mapping[str, Any],
        area: NDArray[np.object_],
    ) -> Layers:
        """The tables of :meth:`finish` with the row about the run and what the styles need."""
        coverage = self.coverage()
        row = {
            "run_id": self.run_id, "scene_id": self.scene.name, "task": task,
            "questions": json.dumps([q.text for q in self.questions], ensure_ascii=False),
            "started": started, "finished": finished, "summary": summary,
            "coverage": self.coverage_words(), "complete": coverage.complete, "seen": coverage.seen,
            "nodata": coverage.nodata, "failed": coverage.failed, "pending": coverage.pending,
            "refused": coverage.refused, "tiles": len(self.plan),
            "objects": None if objects is None else len(objects),
            "totals": json.dumps(
                [{"label": t.label, "value": t.value, "unit": t.unit, "complete": t.complete,
                  "answered": t.answered, "text": str(t)} for t in totals], ensure_ascii=False,
            ),
            "gsd_m": self.scene.gsd_m, "model": self.info.name,
            "model_sha256": self.info.sha256, "provider": self.info.provider,
            "provenance": json.dumps(provenance, ensure_ascii=False, default=str),
        }  # fmt: skip
        run = make_frame(
            RUN_COLUMNS, {name: [cell] for name, cell in row.items()}, area, map_crs(self.scene)
        )
        return Layers(answers, objects, run, self._style(answers))

    def _style(self, answers: gpd.GeoDataFrame) -> StyleFacts:
        facts = []
        for question in self.questions:
            mine = answers[
                (answers["question"] == question.text) & (answers["status"] == "answered")
            ]
            kind = question_kind(question)
            facts.append(
                {
                    "question": question.text, "task": question.task, "kind": kind,
                    "title": question_title(question),
                    "answers": [] if kind == "text" else list(mine["answer"].value_counts().index),
                    "highest": float(mine["value"].max()) if mine["value"].notna().any() else 0.0,
                }
            )  # fmt: skip
        gsd = self.scene.gsd_m
        size = float(np.mean(self.plan.grid.size))
        return StyleFacts(tuple(facts), None if gsd is None else gsd * size)


def _inside(found: Merged, plan: TilePlan) -> Merged:
    """Only objects whose centre lies in the asked area."""
    keep = plan.contains((found.boxes[:, :2] + found.boxes[:, 2:]) / 2.0)
    if keep.all():
        return found
    at = np.flatnonzero(keep)
    return Merged(
        found.boxes[at],
        tuple(found.labels[i] for i in at),
        found.scores[at],
        tuple(found.tile_ids[i] for i in at),
        found.joined[at],
        found.cut[at],
    )


def map_crs(scene: Scene) -> Any:
    """The CRS of a run's tables; None for a scene without georeference."""
    return scene.crs if scene.georeferenced else None


def core_rings(tiles: Sequence[Tile], scene: Scene) -> NDArray[np.float64]:
    """float64[n, 5, 2]: what each tile answers for, in the CRS of the tables."""
    if not tiles:
        return np.zeros((0, 5, 2))
    rings = np.stack([tile.core.polygon() for tile in tiles])
    return _upright(scene.to_map(rings), scene)


def _upright(rings: NDArray[np.float64], scene: Scene) -> NDArray[np.float64]:
    """Pixel rows as ``-row`` where there is no georeference: there QGIS draws such a raster."""
    return rings if scene.georeferenced else rings * np.array([1.0, -1.0])


def owned(answer: Answer, tile: Tile, image_size: int) -> int | None:
    """How many of a tile's boxes are its own, before merging; None when there are none to count."""
    if answer.boxes is None:
        return None
    centres = (answer.boxes[:, :2] + answer.boxes[:, 2:]) / 2.0
    return int(tile.core.contains(tile.to_scene(centres, image_size)).sum())


def _share(tile: Tile) -> float:
    """The part of what a tile sees that it answers for."""
    return min(1.0, tile.core.area_px / tile.window.area_px)


def question_kind(question: Question) -> str:
    """The answer's kind, ``yes_no`` also for free questions with that closed set."""
    if question.candidates is not None:
        return "yes_no" if set(question.candidates) == {"yes", "no"} else "choice"
    return TASKS[question.task].kind


def question_title(question: Question) -> str:
    """A few words for a legend."""
    target = class_phrase(question.target or "", plural=True)
    return {
        "caption": "Caption",
        "classify": "Scene class",
        "count": f"Number of {target}",
        "locate": f"Possible {target}",
        "presence": f"Any {target}?",
    }.get(question.task, question.text)


def asked_area(scene: Scene, plan: TilePlan) -> NDArray[np.object_]:
    """object[1]: the asked area in the CRS of the tables."""
    extent = plan.grid.extent
    shape = plan.aoi if plan.aoi is not None else polygons(extent.polygon()[None])[0]
    fine = shapely.segmentize(shape, max(extent.width, extent.height) / 8.0)
    placed = shapely.transform(fine, lambda xy: _upright(scene.to_map(xy), scene))
    return np.array([placed], dtype=object)
