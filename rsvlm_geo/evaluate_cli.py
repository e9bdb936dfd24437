"""``rsvlm-geo eval``: measure a model on a benchmark, or a pack on its own validation splits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

__all__ = ["evaluate"]


@click.command("eval")
@click.argument("model", required=False)
@click.option("--data", "folder", required=True, envvar="RSVLM_DATA", show_envvar=True,
              type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="The unpacked benchmark, or the folder of the open sets.")  # fmt: skip
@click.option("--benchmark", default=None, help="Its name; told from its files by default.")
@click.option("--split", default="test", show_default=True)
@click.option("--limit", type=click.IntRange(1), default=None, help="So many questions at most.")
@click.option("--out", type=click.Path(path_type=Path), default=None, help="Numbers as JSON.")
@click.option("--records", type=click.Path(path_type=Path), default=None,
              help="One JSON line a question: truth, answer, raw words.")  # fmt: skip
@click.option("--no-baselines", is_flag=True, help="Leave out the constant and the blind model.")
@click.option("--compat", type=click.Choice(["rseval"]), default=None,
              help="Also the published toolkit's own scores, defects and all.")  # fmt: skip
def evaluate(
    model: str | None, folder: Path, benchmark: str | None, split: str, limit: int | None,
    out: Path | None, records: Path | None, no_baselines: bool, compat: str | None,
) -> None:  # fmt: skip
    """Measure MODEL (a pack or endpoint; the embedded one by default) on the data in a folder."""
    if benchmark == "own" or (benchmark is None and (folder / "ucm.jsonl").is_file()):
        _own(model, folder, out)
        return
    from rsvlm_geo.evaluate import evaluate as run
    from rsvlm_geo.metrics.benchmarks import guess_benchmark, load_benchmark
    from rsvlm_geo.model import load_model

    name = benchmark or guess_benchmark(folder)
    items = load_benchmark(name, folder, split=split)
    report = run(load_model(model), items, benchmark=name, baselines=not no_baselines, limit=limit)
    click.echo(str(report))
    told: dict[str, Any] = report.as_dict()
    if compat is not None:
        told["rseval"] = _rseval(report.records)
        for kind, scores in told["rseval"].items():
            click.echo(f"rseval {kind}: {scores}")
    if records is not None:
        report.write_records(records)
    if out is not None:
        out.write_text(json.dumps(told, indent=1), encoding="utf-8")


_RSEVAL_KIND = {
    "classify": "cls", "vqa": "vqa", "yes_no": "presence", "choice": "mc", "count": "counting",
    "colour": "color", "numbers": "mae", "labels": "ml",
}  # fmt: skip


def _rseval(records: Any) -> dict[str, Any]:
    from rsvlm_geo.errors import DataError
    from rsvlm_geo.metrics.rseval import rseval

    groups: dict[str, list[dict[str, Any]]] = {}
    for r in records:
        if r.item.kind in _RSEVAL_KIND:
            row = {
                "pred": r.raw or r.answer.text,
                "answer": r.item.answer,
                "query": r.item.question,
            }
            groups.setdefault(r.item.kind, []).append(row)
    out: dict[str, Any] = {}
    for kind, rows in groups.items():
        try:
            out[kind] = rseval(_RSEVAL_KIND[kind], rows)
        except DataError as error:
            out[kind] = {"error": str(error)}
    return out


def _own(model: str | None, folder: Path, out: Path | None) -> None:
    """The embedded pack's own table, on the validation splits of the open sets."""
    from rsvlm_geo.metrics import format_table
    from rsvlm_geo.model.registry import find_pack
    from rsvlm_geo.training.evaluate import evaluate as own

    numbers = own(folder, find_pack(model))
    click.echo(format_table(numbers))
    if out is not None:
        told = {name: measure.as_dict() for name, measure in numbers.items()}
        out.write_text(json.dumps(told, indent=1), encoding="utf-8")
