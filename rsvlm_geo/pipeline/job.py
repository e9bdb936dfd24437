"""A job: one scene, its tiles, what is asked, by whom. Planned first, run after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from rsvlm_geo.errors import TaskError
from rsvlm_geo.pipeline.gates import Gate, check_tasks, gate
from rsvlm_geo.pipeline.store import fingerprint
from rsvlm_geo.scene import Scene, TilePlan, object_margin_m, plan_tiles
from rsvlm_geo.tasks import make_question, route_question
from rsvlm_geo.vlm import ModelInfo, Question, Vlm

__all__ = ["Job", "main_objects", "plan_job", "questions_for"]

_BOX_TASKS = ("count", "locate")
_SCENE_TASKS = ("classify", "caption")
_COUNT_MARGIN, _DESCRIBE_MARGIN = 0.25, 0.125
"""Largest margin by default, of the window's side."""
_OBJECT_SHARE = 1 / 3
"""Of the window's side, that the largest object asked about should fit in."""
_COMFORT = 0.6
"""Of the coarsest GSD at which a class is found at all: where it is still found well."""


@dataclass(frozen=True, slots=True)
class Job:
    """All that is decided before the first tile is read."""

    task: str
    """The verb: ``describe`` or a name of :data:`rsvlm_geo.tasks.TASKS`."""
    scene: Scene
    plan: TilePlan
    model: Vlm
    info: ModelInfo
    questions: tuple[Question, ...]
    gates: tuple[Gate | None, ...]
    """Beside each question: the rule that refuses it everywhere, or None."""
    batch: int
    """Images the model is shown at once."""

    @property
    def run_id(self) -> str:
        """The fingerprint: equal for two jobs that must give the same answers."""
        return fingerprint(
            scene=self.scene.provenance(),
            plan=self.plan.to_dict(),
            questions=self.questions,
            info=self.info,
            extra={"task": self.task},
        )


def main_objects(info: ModelInfo, gsd_m: float | None) -> list[str]:
    """The classes a model knows that this scene is fine enough for."""
    names = []
    for known in info.classes:
        question = make_question("count", target=known.name)
        closed = gate(question, info, native_gsd_m=gsd_m, read_gsd_m=gsd_m, panchromatic=False)
        if closed is None:
            names.append(known.name)
    return names


def questions_for(
    task: str,
    info: ModelInfo,
    *,
    target: str | Sequence[str] | None = None,
    question: str | None = None,
    candidates: Sequence[str] | None = None,
    gsd_m: float | None = None,
) -> tuple[Question, ...]:
    """What a verb asks about every tile.

    Args:
        task: ``describe`` or a name of :data:`rsvlm_geo.tasks.TASKS`.
        info: The model; decides the objects of ``describe`` and the routing of ``ask``.
        target: A class, several, or one text with commas.
        question: The user's own words.
        candidates: Closed set of answers, for ``ask``.
        gsd_m: Native metres per pixel, for the objects of ``describe``.

    Raises:
        TaskError: Something is missing, or the model does not do the task.
    """
    targets = _targets(target)
    if task == "describe":
        asked = [make_question(name) for name in ("classify", "caption") if name in info.tasks]
        counting = next((name for name in _BOX_TASKS if name in info.tasks), None)
        if counting is not None:
            names = targets or main_objects(info, gsd_m)
            asked += [make_question(counting, target=name) for name in names]
        if not asked:
            raise TaskError(
                f"{info.name} can neither classify, caption nor count, so it cannot describe; "
                f"it does {', '.join(sorted(info.tasks))}"
            )
        return tuple(asked)
    if task == "ask":
        if not question or not question.strip():
            raise TaskError("'ask' needs a question; pass one, such as 'Is there a bridge?'")
        routed = None if candidates else route_question(question, info)
        made = routed or make_question(
            "ask", text=question, candidates=tuple(candidates) if candidates else None
        )
        return (made,)
    wanted: list[str | None] = [*targets] or [None]
    made_all = [
        make_question(
            task,
            target=_known_name(name, info),
            text=question,
            candidates=tuple(candidates) if candidates else None,
        )
        for name in wanted
    ]
    return tuple(made_all)


def plan_job(
    scene: Scene,
    task: str,
    questions: Sequence[Question],
    model: Vlm,
    *,
    aoi: Any = None,
    aoi_crs: Any = None,
    gsd_m: float | None = None,
    margin_m: float | None = None,
    min_valid: float | None = None,
    batch: int | None = None,
) -> Job:
    """Lay the tiles and close the questions that facts already answer; reads no pixel.

    Args:
        scene: From :func:`rsvlm_geo.open_scene`.
        task: The verb.
        questions: From :func:`questions_for`.
        model: Whom to ask.
        aoi: As :func:`rsvlm_geo.scene.plan_tiles` takes it.
        aoi_crs: CRS of ``aoi`` where it does not say.
        gsd_m: Metres per pixel to show the model, instead of its own choice.
        margin_m: Metres a tile sees beyond its core; by default the largest object counted.
        min_valid: Least share of a tile that must have data.
        batch: Images the model is shown at once, instead of its own choice.

    Raises:
        TaskError: The model does not do a task.
        AoiError: The area is unreadable, or outside the scene.
        GridError: Margin or GSD make no tiles.
    """
    info = model.info
    check_tasks(questions, info)
    if gsd_m is None:
        gsd_m = _read_gsd_m(scene, questions, info)
    if margin_m is None:
        margin_m = _margin_m(scene, task, questions, info, gsd_m)
    limits = {} if min_valid is None else {"min_valid": min_valid}
    plan = plan_tiles(
        scene, info, margin_m=margin_m, aoi=aoi, aoi_crs=aoi_crs, gsd_m=gsd_m, **limits
    )
    gates = tuple(
        gate(
            question,
            info,
            native_gsd_m=scene.gsd_m,
            read_gsd_m=plan.gsd_m,
            panchromatic=scene.panchromatic,
        )
        for question in questions
    )
    return Job(
        task=task,
        scene=scene,
        plan=plan,
        model=model,
        info=info,
        questions=tuple(replace(question, gsd_m=plan.gsd_m) for question in questions),
        gates=gates,
        batch=batch or max(1, info.batch),
    )


def _read_gsd_m(scene: Scene, questions: Sequence[Question], info: ModelInfo) -> float | None:
    """Metres per pixel to show: as fine as the scene, but with a whole place or object in view.

    Never so coarse that the objects asked about are found badly. Classes that the model looks for
    at a scale of their own are shown at it where nothing else is asked of the whole tile; else the
    model looks closer by itself. None: the plan's own choice.
    """
    rule = None if scene.gsd_m is None or not info.scales else info.scale_for(scene.gsd_m)
    if scene.gsd_m is None or rule is None:
        return None
    counted = [info.find_class(q.target) for q in questions if q.task in _BOX_TASKS and q.target]
    known = [item for item in counted if item is not None]
    wanted = max((c.size_m for c in known if c.size_m is not None), default=0.0)
    wanted /= _OBJECT_SHARE * info.image_size
    place = any(q.task in _SCENE_TASKS for q in questions)
    if place:
        wanted = max(wanted, rule.scene_gsd_m or 0.0)
    limits = [c.max_gsd_m * _COMFORT for c in known if c.max_gsd_m is not None]
    limits += [c.min_size_m / 2 for c in known if c.min_size_m is not None]
    shown = rule.read_gsd_m(scene.gsd_m, min([wanted, *limits]))
    own = [] if place else [c.read_gsd_m for c in known if c.read_gsd_m is not None]
    return min([shown, *(max(gsd_m, rule.gsd_m[0]) for gsd_m in own)])


def _margin_m(
    scene: Scene, task: str, questions: Sequence[Question], info: ModelInfo, gsd_m: float | None
) -> float | None:
    """Metres to see beyond a core: the largest object counted, as far as it is worth its cost.

    A margin of a quarter of the window shows every pixel to the model four times. Objects that
    still do not fit are joined across seams.
    """
    counted = [q.target for q in questions if q.task in _BOX_TASKS and q.target]
    wanted = object_margin_m(info, counted) if counted else 0.0
    if not wanted or scene.gsd_m is None:
        return wanted or None
    rule = info.scale_for(scene.gsd_m)
    shown = gsd_m or (scene.gsd_m if rule is None else rule.read_gsd_m(scene.gsd_m))
    share = _DESCRIBE_MARGIN if task == "describe" else _COUNT_MARGIN
    return min(wanted, share * info.image_size * shown)


def _targets(target: str | Sequence[str] | None) -> list[str]:
    if target is None:
        return []
    parts = target.split(",") if isinstance(target, str) else target
    return list(dict.fromkeys(part.strip() for part in parts if part.strip()))


def _known_name(name: str | None, info: ModelInfo) -> str | None:
    """The model's own name of a class that goes by several: ``vehicles`` -> ``car``."""
    known = info.find_class(name) if name else None
    return name if known is None else known.name
