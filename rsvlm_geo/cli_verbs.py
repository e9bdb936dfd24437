"""The verbs on the command line: each makes a request, runs it, and shows what comes back."""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, TypeVar

import click

from rsvlm_geo.cli import EXIT_CANCELLED, EXIT_ERROR, EXIT_INCOMPLETE
from rsvlm_geo.errors import AoiError, ResumeError, RsvlmError
from rsvlm_geo.protocol import Request, RunOptions, error_event

__all__ = ["ask", "caption", "classify", "count", "describe", "locate", "presence"]

F = TypeVar("F", bound=Callable[..., Any])

_SCENE = click.argument("scene")
_OPTIONS = (
    click.option("-o", "--output", "outputs", multiple=True, metavar="FILE",
                 help="Write here; the suffix decides: .gpkg .parquet .fgb .geojson, or a map as "
                 ".png .pdf .svg. May be given several times."),
    click.option("--bbox", metavar="W,S,E,N", help="Only this area, longitude and latitude."),
    click.option("--aoi", metavar="FILE", help="Only the polygons of this vector file."),
    click.option("--aoi-crs", metavar="CRS", help="CRS of --bbox, or of an --aoi without one."),
    click.option("--bands", metavar="R,G,B", help="Bands to show as red, green, blue; from 1."),
    click.option("--nodata", metavar="VALUE|none",
                 help="Fill value, instead of the declared one and any mask; none: all is data."),
    click.option("--gsd", type=click.FloatRange(min=0, min_open=True), metavar="M",
                 help="Metres per pixel to show the model, instead of its own choice."),
    click.option("--scene-gsd", type=click.FloatRange(min=0, min_open=True), metavar="M",
                 help="Metres per pixel of a scene that does not say where it is."),
    click.option("--margin", type=click.FloatRange(min=0), metavar="M",
                 help="Metres a tile sees beyond what it answers for."),
    click.option("--min-valid", type=click.FloatRange(0, 1), metavar="SHARE",
                 help="Least share of a tile that must have data."),
    click.option("--model", metavar="NAME", help="Pack by name or folder, or endpoint by URL."),
    click.option("--provider", default="auto", show_default=True,
                 help="cpu, cuda, directml, coreml ..."),
    click.option("--threads", type=click.IntRange(min=1), help="CPU threads."),
    click.option("--resume", is_flag=True, help="Go on with a run that was cut off."),
    click.option("--dry-run", is_flag=True, help="Tiles, time and memory, measured; then stop."),
    click.option("--json", "as_json", is_flag=True, help="Events as JSON lines on stdout."),
    click.option("--quiet", is_flag=True, help="No progress bar."),
)  # fmt: skip


def _options(function: F) -> F:
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


@click.command()
@_SCENE
@click.option("--objects", metavar="A,B", help="Classes to count; by default all that can be seen.")
@_options
def describe(scene: str, objects: str | None, **flags: Any) -> None:
    """Captions and classes per tile, counts of the main objects, and a summary."""
    _go("describe", scene, flags, target=objects)


@click.command()
@_SCENE
@_options
def caption(scene: str, **flags: Any) -> None:
    """A sentence or two about each tile of SCENE."""
    _go("caption", scene, flags)


@click.command()
@_SCENE
@_options
def classify(scene: str, **flags: Any) -> None:
    """A scene class for each tile of SCENE."""
    _go("classify", scene, flags)


@click.command()
@_SCENE
@click.argument("target")
@_options
def count(scene: str, target: str, **flags: Any) -> None:
    """Count the TARGETs in SCENE; several classes with commas."""
    _go("count", scene, flags, target=target)


@click.command()
@_SCENE
@click.argument("target")
@_options
def locate(scene: str, target: str, **flags: Any) -> None:
    """Put a box around each TARGET in SCENE; several classes with commas."""
    _go("locate", scene, flags, target=target)


@click.command()
@_SCENE
@click.argument("target")
@_options
def presence(scene: str, target: str, **flags: Any) -> None:
    """Whether there is a TARGET, yes or no for each tile of SCENE."""
    _go("presence", scene, flags, target=target)


@click.command()
@_SCENE
@click.argument("question")
@click.option("--choices", metavar="A,B", help="A closed set of answers.")
@_options
def ask(scene: str, question: str, choices: str | None, **flags: Any) -> None:
    """Ask QUESTION of each tile of SCENE."""
    candidates = None if choices is None else tuple(choices.split(","))
    _go("ask", scene, flags, question=question, candidates=candidates)


def _go(task: str, scene: str, flags: Mapping[str, Any], **words: Any) -> None:
    """Make the request, run it, exit with its code."""
    request = _request(task, scene, flags, words)
    as_json = bool(flags["as_json"])
    try:
        code = _dry_run(request, as_json) if flags["dry_run"] else _run(request, flags)
    except RsvlmError as error:
        if not as_json:
            raise
        _print_event(error_event(None, error))
        click.echo(f"error: {' '.join(str(error).split())}", err=True)
        code = EXIT_ERROR
    sys.exit(code)


def _request(task: str, scene: str, flags: Mapping[str, Any], words: Mapping[str, Any]) -> Request:
    if flags["bbox"] and flags["aoi"]:
        raise click.UsageError("give --bbox or --aoi, not both")
    options = RunOptions(
        model=flags["model"],
        provider=flags["provider"],
        threads=flags["threads"],
        bands=_numbers(flags["bands"], "--bands", int),
        nodata=_nodata(flags["nodata"]),
        gsd=flags["gsd"],
        native_gsd=flags["scene_gsd"],
        margin=flags["margin"],
        min_valid=flags["min_valid"],
        out=tuple(flags["outputs"]),
        tile_events=bool(flags["as_json"]),
    )
    bbox = _numbers(flags["bbox"], "--bbox", float)
    if bbox is not None and len(bbox) != 4:
        raise click.UsageError(f"--bbox is W,S,E,N; got {flags['bbox']!r}")
    polygon = None if not flags["aoi"] else _read_aoi(flags["aoi"])
    return Request(
        type="run",
        task=task,
        source=scene,
        bbox=bbox,
        polygon=polygon,
        crs=flags["aoi_crs"],
        options=options,
        **words,
    )


def _numbers(text: str | None, name: str, kind: Any) -> Any:
    if text is None:
        return None
    try:
        return tuple(kind(part) for part in text.split(","))
    except ValueError:
        raise click.UsageError(f"{name} is numbers with commas; got {text!r}") from None


def _nodata(text: str | None) -> float | Literal[False] | None:
    if text is None:
        return None
    if text.strip().lower() == "none":
        return False
    try:
        return float(text)
    except ValueError:
        raise click.UsageError(f"--nodata is a number, or none; got {text!r}") from None


def _read_aoi(path: str) -> Any:
    """The area as the scene's reader takes it: a path, checked early."""
    from pathlib import Path

    if not Path(path).exists():
        raise AoiError(f"no such file: {path}; pass a vector file with polygons to --aoi")
    return path


def _run(request: Request, flags: Mapping[str, Any]) -> int:
    from rsvlm_geo.cli_progress import ProgressBar
    from rsvlm_geo.engine import Engine, keep_folder

    as_json, resume = bool(flags["as_json"]), bool(flags["resume"])
    bar = ProgressBar(enabled=not flags["quiet"] and not as_json)
    lines: list[str] = []

    def emit(event: dict[str, Any]) -> None:
        if as_json:
            _print_event(event)
        kind = event["type"]
        if kind == "warning":
            label = "note" if event["class"] == "Note" else "warning"
            bar.say(f"{label}: {event['message']}")
        elif kind == "started" and not as_json:
            bar.start(event)
        elif kind == "progress":
            bar.update(event)
        elif kind == "done":
            bar.close()
            lines.extend(_done_lines(event))

    kept = keep_folder(request)
    if not resume and kept is not None and kept.is_dir():
        bar.say("note: an unfinished run was here; starting over (--resume would go on with it)")
    with _interrupts() as stop:
        try:
            result = Engine().run(
                request, emit, cancel=stop.is_set, resume="yes" if resume else "no"
            )
        except ResumeError:
            raise
        finally:
            bar.close()
    if not as_json:
        for line in lines:
            click.echo(line)
    if result.cancelled:
        click.echo(
            f"stopped: {result.done} of {result.tiles} tiles are kept; "
            "the same command with --resume goes on",
            err=True,
        )
        return EXIT_CANCELLED
    if not result.complete:
        click.echo(f"incomplete: {result.coverage_words}", err=True)
        return EXIT_INCOMPLETE
    return 0


def _done_lines(event: Mapping[str, Any]) -> list[str]:
    lines = str(event["summary"]).splitlines()
    return lines + [f"wrote {path}" for path in event["paths"]]


def _dry_run(request: Request, as_json: bool) -> int:
    from rsvlm_geo.engine import Engine

    event = Engine().estimate(request)
    if as_json:
        _print_event(event)
        return 0
    for name in event["warnings"]:
        click.echo(f"warning: {name}", err=True)
    for question, why in event["refused"].items():
        click.echo(f"will be refused: {question} ({why})")
    scale = ""
    if event["gsd_m"] is not None:
        scale = f", {event['tile_m']:.4g} m wide, shown at {event['read_gsd_m']:.3g} m per pixel"
    click.echo(f"{event['tiles']} tiles{scale}")
    if event["seconds"] is not None:
        from rsvlm_geo.cli_progress import duration

        click.echo(
            f"about {duration(event['seconds'])} at {event['tiles_per_s']:.1f} tiles/s, "
            f"measured with {event['model']} on {event['provider'] or 'its own place'}"
        )
    click.echo(f"about {event['memory_mb']:.0f} MB of memory")
    return 0


def _print_event(event: Mapping[str, Any]) -> None:
    click.echo(json.dumps(event, ensure_ascii=False, allow_nan=False))


@contextmanager
def _interrupts() -> Iterator[threading.Event]:
    """The first Ctrl-C asks the run to stop after its batch; the second stops at once."""
    stop = threading.Event()
    usual: Any = signal.getsignal(signal.SIGINT)

    def heard(signum: int, frame: Any) -> None:
        stop.set()
        signal.signal(signal.SIGINT, usual)

    in_main = threading.current_thread() is threading.main_thread()
    if in_main:
        signal.signal(signal.SIGINT, heard)
    try:
        yield stop
    finally:
        if in_main:
            signal.signal(signal.SIGINT, usual)
