"""``rsvlm-geo batch``: many scenes, many questions, resumable."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from rsvlm_geo.errors import Cancelled, RsvlmError
from rsvlm_geo.stac.cli import make_query, search_options

__all__ = ["batch"]


@click.command()
@click.argument("sources", nargs=-1)
@click.option("--recipe", type=click.Path(exists=True, dir_okay=False), help="YAML file.")
@click.option("--search", "search_url", metavar="URL", help="STAC API or catalogue to search.")
@search_options
@click.option("-o", "--output", type=click.Path(file_okay=False), help="Folder of the results.")
@click.option("-t", "--task", "tasks", multiple=True, help="describe, count, locate, ask, ...")
@click.option("--target", help="Class or classes, with commas.")
@click.option("-q", "--question", "questions", multiple=True, help="In your own words.")
@click.option("-m", "--model", help="Pack, folder, or module:attribute.")
@click.option("--provider", default="auto", show_default=True, help="ONNX Runtime provider.")
@click.option("--bands", metavar="A,B,C", help="Bands to show as red, green, blue.")
@click.option("--assets", metavar="A[,B,C]", help="Asset keys to take from Items.")
@click.option("--aoi-bbox", metavar="W,S,E,N", help="Ask about this area only, degrees.")
@click.option("--gsd", "gsd_m", type=float, help="Metres per pixel to show the model.")
@click.option("--backend", help="serial, dask, dask:N, or tcp://scheduler:8786.")
@click.option("--workers", type=int, help="The same as --backend dask:N.")
@click.option("--gpu", is_flag=True, help="Tasks need the worker resource GPU.")
@click.option("--tiles-per-task", type=int, help="Size of a task.  [default: 64]")
@click.option("--allow-local", is_flag=True, help="Let Items from a network name local files.")
@click.option("--alongside", is_flag=True, help="Allow other runs in the output folder.")
@click.option("--keep-failed", is_flag=True, help="Do not try failed tiles of earlier runs again.")
@click.option("--dry-run", is_flag=True, help="Say scenes, tiles, bytes and hours; run nothing.")
@click.option("--no-stac", is_flag=True, help="Write no STAC Items.")
@click.option("--json", "as_json", is_flag=True, help="Progress as JSON lines on standard output.")
def batch(
    sources: tuple[str, ...],
    recipe: str | None,
    search_url: str | None,
    output: str | None,
    **options: Any,
) -> None:
    """Ask questions of many scenes.

    SOURCES are rasters, patterns, Items or ItemCollections (paths or URLs), or - for standard
    input. Running the same command again does what is left to do. Exit 3: finished, but some area
    was not seen.
    """
    try:
        sys.exit(_batch(sources, recipe, search_url, output, options))
    except Cancelled as error:
        click.echo(f"cancelled: {error}", err=True)
        sys.exit(130)
    except KeyboardInterrupt:
        click.echo("cancelled: what was done is kept; run the same command again", err=True)
        sys.exit(130)
    except (RsvlmError, OSError) as error:
        click.echo(f"error: {' '.join(str(error).split())}", err=True)
        sys.exit(1)


def _batch(
    sources: tuple[str, ...],
    recipe: str | None,
    search_url: str | None,
    output: str | None,
    o: dict[str, Any],
) -> int:
    from rsvlm_geo.batch.driver import TILES_PER_TASK, BatchProgress, run
    from rsvlm_geo.batch.estimating import estimate
    from rsvlm_geo.batch.recipe import load_recipe

    backend, gpu, size = "serial", o["gpu"], TILES_PER_TASK
    scenes: list[Any] = list(sources)
    if recipe is not None:
        made = load_recipe(recipe)
        spec, output = made.spec, output or made.out
        scenes += list(made.scenes)
        backend, gpu = made.backend, gpu or made.gpu
        size = made.tiles_per_task or size
    else:
        spec = _spec(o)
    if search_url is not None:
        from rsvlm_geo.stac.searching import search

        names = ("collections", "bbox", "datetime_", "intersects", "filter_", "ids", "max_items")
        query = make_query(**{name: o[name] for name in names})
        scenes.append(search(search_url, query, signer=o["signer"]))
    if not scenes:
        raise click.UsageError("no scenes; name rasters or Items, or use --search or --recipe")
    if o["workers"] is not None:
        backend = f"dask:{o['workers']}"
    backend = o["backend"] or backend
    if o["dry_run"]:
        told = estimate(spec, scenes)
        workers = int(backend.partition(":")[2]) if backend.startswith("dask:") else 1
        click.echo(told.text(workers))
        return 0
    if output is None:
        raise click.UsageError("no output folder; add -o FOLDER")

    def show(p: BatchProgress) -> None:
        if o["as_json"]:
            line = {"event": "progress", "scenes": p.scenes_done, "scenes_seen": p.scenes_seen}
            line |= {"tiles": p.tiles_done, "tiles_seen": p.tiles_seen, "failed": p.failed}
            click.echo(json.dumps(line))
        elif sys.stderr.isatty():
            click.echo(
                f"\r{p.tiles_done}/{p.tiles_seen} tiles, {p.scenes_done}/{p.scenes_seen} scenes, "
                f"{p.failed} failed, {p.tiles_per_s:.1f}/s ", err=True, nl=False,
            )  # fmt: skip

    result = run(
        spec,
        scenes,
        output,
        backend=backend,
        gpu=gpu,
        tiles_per_task=o["tiles_per_task"] or size,
        alongside=o["alongside"],
        retry_failed=not o["keep_failed"],
        progress=show,
        stac=not o["no_stac"],
    )
    if o["as_json"]:
        facts = {"event": "done", "folder": str(result.folder), "complete": result.complete}
        facts |= {"scenes": len(result.scenes), "tiles": result.tiles, "asked": result.asked}
        click.echo(json.dumps(facts))
    else:
        click.echo(result.summary())
        click.echo(str(result.folder))
    return 0 if result.complete else 3


def _spec(o: dict[str, Any]) -> Any:
    from rsvlm_geo.batch.spec import Ask, BatchSpec
    from rsvlm_geo.stac.query import check_bbox

    target = _parts(o["target"])
    asks = [Ask(task, target) for task in o["tasks"] if task != "ask"]
    asks += [Ask("ask", question=question) for question in o["questions"]]
    if "ask" in o["tasks"] and not o["questions"]:
        asks.append(Ask("ask"))
    if not asks:
        asks = [Ask("describe", target)]
    bands: Any = _parts(o["bands"]) or None
    if bands and all(b.isdigit() for b in bands):
        bands = tuple(int(b) for b in bands)
    aoi: Any = None
    if o["aoi_bbox"]:
        try:
            aoi = check_bbox([float(v) for v in o["aoi_bbox"].split(",")])
        except ValueError as error:
            raise RsvlmError(f"--aoi-bbox takes four numbers; {error}") from error
    return BatchSpec(
        asks=tuple(asks),
        model=o["model"],
        provider=o["provider"],
        bands=bands,
        assets=_parts(o["assets"]) or None,
        signer=o["signer"],
        allow_local=o["allow_local"],
        aoi=aoi,
        gsd_m=o["gsd_m"],
    )


def _parts(text: str | None) -> tuple[str, ...]:
    return tuple(p.strip() for p in (text or "").split(",") if p.strip())
