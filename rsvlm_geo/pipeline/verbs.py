"""The verbs: ``describe caption classify count locate presence ask``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from rsvlm_geo.pipeline.job import plan_job, questions_for
from rsvlm_geo.pipeline.result import Result
from rsvlm_geo.pipeline.run import Cancel, Progress, execute
from rsvlm_geo.scene import open_scene
from rsvlm_geo.vlm import Vlm

__all__ = ["ask", "caption", "classify", "count", "describe", "locate", "presence", "run_task"]


def run_task(
    task: str,
    scene: Any,
    *,
    target: str | Sequence[str] | None = None,
    question: str | None = None,
    candidates: Sequence[str] | None = None,
    model: Vlm | str | Path | None = None,
    provider: str = "auto",
    aoi: Any = None,
    aoi_crs: Any = None,
    bands: Sequence[int | str] | None = None,
    gsd_m: float | None = None,
    scene_gsd_m: float | None = None,
    margin_m: float | None = None,
    min_valid: float | None = None,
    batch: int | None = None,
    progress: Callable[[Progress], object] | None = None,
    cancel: Cancel | None = None,
    keep: str | Path | None = None,
    resume: bool | Literal["auto"] = False,
) -> Result:
    """Ask one task of every tile of a scene; the named verbs are this with ``task`` filled in.

    Args:
        task: ``describe`` or a name of :data:`rsvlm_geo.tasks.TASKS`.
        scene: A :class:`rsvlm_geo.Scene`, or what :func:`rsvlm_geo.open_scene` takes.
        target: The class to look for; several as a list, or in one text with commas.
        question: Your own words.
        candidates: Closed set of answers, for ``ask``.
        model: Anything with the shape of :class:`rsvlm_geo.Vlm`, or the name or folder of a pack;
            the embedded pack by default.
        provider: ONNX Runtime provider, for a pack.
        aoi: Area of interest: ``(west, south, east, north)``, a geometry, or a vector file.
        aoi_crs: CRS of ``aoi`` where it does not say; longitude and latitude by default.
        bands: Bands to show as red, green, blue.
        gsd_m: Metres per pixel to show the model, instead of its own choice.
        scene_gsd_m: Metres per pixel of a scene that does not say where it is.
        margin_m: Metres a tile sees beyond what it answers for.
        min_valid: Least share of a tile that must have data, 0..1.
        batch: Images the model is shown at once.
        progress: Called with a :class:`rsvlm_geo.pipeline.Progress` after every batch.
        cancel: A callable or ``threading.Event``, asked between batches; the result then holds
            what was done, with the rest as ``pending``.
        keep: Folder for finished tiles, so that a killed run can go on.
        resume: Take up what lies in ``keep``.

    Raises:
        RsvlmError: A leaf that says what, which, got, and the next step.
    """
    opened = open_scene(scene, bands=bands, gsd_m=scene_gsd_m)
    vlm = _model(model, provider)
    questions = questions_for(
        task,
        vlm.info,
        target=target,
        question=question,
        candidates=candidates,
        gsd_m=opened.gsd_m,
    )
    job = plan_job(
        opened,
        task,
        questions,
        vlm,
        aoi=aoi,
        aoi_crs=aoi_crs,
        gsd_m=gsd_m,
        margin_m=margin_m,
        min_valid=min_valid,
        batch=batch,
    )
    return execute(
        job,
        progress=progress,
        cancel=cancel,
        keep=None if keep is None else Path(keep),
        resume=resume,
    )


def _model(model: Vlm | str | Path | None, provider: str) -> Vlm:
    if model is None or isinstance(model, (str, Path)):
        from rsvlm_geo.model import load_model

        loaded: Vlm = load_model(model, provider=provider)
        return loaded
    return model


def describe(scene: Any, objects: Sequence[str] | None = None, **options: Any) -> Result:
    """Per-tile captions and classes, the counts of the main objects, and a summary.

    Args:
        scene: Path, URL, dataset, array or :class:`rsvlm_geo.Scene`.
        objects: Classes to count; by default all that the model knows and the pixels allow.
        options: As :func:`run_task`.
    """
    return run_task("describe", scene, target=objects, **options)


def caption(scene: Any, **options: Any) -> Result:
    """A sentence or two about each tile; options as :func:`run_task`."""
    return run_task("caption", scene, **options)


def classify(scene: Any, **options: Any) -> Result:
    """A scene class per tile; options as :func:`run_task`."""
    return run_task("classify", scene, **options)


def count(scene: Any, target: str | Sequence[str], **options: Any) -> Result:
    """How many of a class there are, each an object on the map; options as :func:`run_task`."""
    return run_task("count", scene, target=target, **options)


def locate(scene: Any, target: str | Sequence[str], **options: Any) -> Result:
    """Where the objects of a class are; options as :func:`run_task`."""
    return run_task("locate", scene, target=target, **options)


def presence(scene: Any, target: str | Sequence[str], **options: Any) -> Result:
    """Whether a class is in each tile, yes or no; options as :func:`run_task`."""
    return run_task("presence", scene, target=target, **options)


def ask(
    scene: Any, question: str, candidates: Sequence[str] | None = None, **options: Any
) -> Result:
    """A question in your own words, asked of each tile.

    Args:
        scene: Path, URL, dataset, array or :class:`rsvlm_geo.Scene`.
        question: ``How many cars are there?`` becomes a count, ``Is there a bridge?`` a yes or no.
        candidates: Closed set of answers, scored by likelihood.
        options: As :func:`run_task`.
    """
    return run_task("ask", scene, question=question, candidates=candidates, **options)
