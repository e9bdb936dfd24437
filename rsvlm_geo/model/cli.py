"""``rsvlm-geo models``: list, show, verify, import, bundle, remove."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

__all__ = ["models"]


@click.group("models")
def models() -> None:
    """Models on this machine.

    \b
    rsvlm-geo models list
    rsvlm-geo models import onnx-community/SmolVLM-256M-Instruct@COMMIT
    rsvlm-geo models bundle rsvlm-mini -o rsvlm-mini.rsvlm
    """


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def list_models(as_json: bool) -> None:
    """What is installed, and where."""
    from rsvlm_geo.errors import PackError
    from rsvlm_geo.model.pack import load_pack
    from rsvlm_geo.model.registry import DEFAULT_MODEL, iter_packs
    from rsvlm_geo.model.store import pack_size

    rows = []
    for folder in iter_packs():
        row: dict[str, Any] = {"name": folder.name, "folder": str(folder)}
        try:
            pack = load_pack(folder, verify=False)
        except PackError as error:
            row["problem"] = str(error)
        else:
            row |= {
                "version": pack.info.version,
                "architecture": pack.model_type,
                "megabytes": round(pack_size(folder) / 1e6, 1),
                "tasks": sorted(pack.info.tasks),
                "default": folder.name == DEFAULT_MODEL,
            }
        rows.append(row)
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    if not rows:
        click.echo("no models; run: rsvlm-geo models import FOLDER")
    for row in rows:
        if "problem" in row:
            click.echo(f"{row['name']:28} broken: {row['problem']}")
        else:
            mark = "*" if row["default"] else " "
            click.echo(
                f"{mark} {row['name']:26} {row['architecture']:16} {row['megabytes']:9.1f} MB  "
                f"{', '.join(row['tasks'])}"
            )


@models.command("show")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def show(name: str, as_json: bool) -> None:
    """One model: what it knows, its graphs, the memory it needs."""
    from rsvlm_geo.model.memory import available_memory, estimate_memory
    from rsvlm_geo.model.pack import load_pack
    from rsvlm_geo.model.registry import find_pack
    from rsvlm_geo.model.store import pack_size

    pack = load_pack(find_pack(name))
    info = pack.info
    graphs = {}
    taken = []
    for part, variants in sorted(pack.graphs.items()):
        chosen = pack.choose(part)
        taken.append(pack.header(variants[chosen]))
        graphs[part] = {
            variant or "fp32": {
                "opset": pack.header(path).opset,
                "megabytes": round(pack.header(path).weight_bytes / 1e6, 1),
                "used_on_cpu": variant == chosen,
            }
            for variant, path in variants.items()
        }
    said: dict[str, Any] = {
        "name": info.name,
        "version": info.version,
        "folder": str(pack.folder),
        "architecture": pack.model_type,
        "licence": info.licence or "not stated",
        "data_licence": _data_licence(pack.card),
        "sha256": info.sha256 or "no card",
        "image_size": info.image_size,
        "tasks": sorted(info.tasks),
        "classes": len(info.classes) or "open",
        "gsd_m": list(info.gsd_range_m) if info.scales else "any",
        "calibrated": sorted(pack.card.get("calibration", {})) or "no",
        "megabytes": round(pack_size(pack.folder) / 1e6, 1),
        "memory_mb": round(estimate_memory(taken) / 1e6, 1),
        "free_memory_mb": round((available_memory() or 0) / 1e6, 1),
        "graphs": graphs,
    }
    if as_json:
        click.echo(json.dumps(said, indent=1))
        return
    for key, value in said.items():
        if key != "graphs":
            text = ", ".join(map(str, value)) if isinstance(value, list) else value
            click.echo(f"{key.replace('_', ' '):16} {text}")
    for part, variants_said in graphs.items():
        for variant, row in variants_said.items():
            mark = "*" if row["used_on_cpu"] else " "
            size = f"{row['megabytes']:9.1f} MB"
            click.echo(f"  {mark} {part:24} {variant:10} opset {row['opset']:<3} {size}")


@models.command("verify")
@click.argument("name", required=False)
def verify(name: str | None) -> None:
    """Hash every file of a model (or of all) and read every graph's header."""
    from rsvlm_geo.model.registry import find_pack, iter_packs
    from rsvlm_geo.model.store import verify_pack

    broken = False
    for folder in [find_pack(name)] if name else list(iter_packs()):
        problems = verify_pack(folder)
        click.echo(f"{folder.name}: {'whole' if not problems else 'broken'}")
        for problem in problems:
            broken = True
            click.echo(f"  {problem}", err=True)
    if broken:
        sys.exit(1)


@models.command("import")
@click.argument("source")
@click.option("--name", help="Its name from now on.")
@click.option("--variant", help="From the hub: which graphs, fp32, fp16, int8, q4, ...")
@click.option("--replace", is_flag=True, help="Replace a model of that name.")
def import_model(source: str, name: str | None, variant: str | None, replace: bool) -> None:
    """Bring in a folder, a .rsvlm bundle, or owner/name@commit from the hub."""
    from rsvlm_geo.model.hub import download_pack, parse_ref
    from rsvlm_geo.model.store import import_pack

    ref = None if Path(source).expanduser().exists() else parse_ref(source)
    if ref is None:
        pack = import_pack(source, name=name, replace=replace)
    else:
        pack = download_pack(ref, name=name, variant=variant, replace=replace, progress=_progress)
    click.echo(f"{pack.folder.name} is ready in {pack.folder}")


@models.command("remove")
@click.argument("name")
def remove(name: str) -> None:
    """Delete an imported model."""
    from rsvlm_geo.model.store import remove_pack

    click.echo(f"removed {remove_pack(name)}")


@models.command("bundle")
@click.argument("name")
@click.option("-o", "--out", default=".", help="File or folder to write to.")
def bundle(name: str, out: str) -> None:
    """Write a model as one checksummed file, for a machine without a network."""
    from rsvlm_geo.model.pack import hash_file, load_pack
    from rsvlm_geo.model.registry import find_pack
    from rsvlm_geo.model.store import bundle_pack

    path = bundle_pack(load_pack(find_pack(name)), out)
    click.echo(f"{hash_file(path)}  {path}")


def _data_licence(card: Mapping[str, Any]) -> str:
    """Terms of what the weights were trained on, as far as the card says."""
    licences = card.get("licences")
    said = licences.get("data") if isinstance(licences, dict) else None
    said = said or card.get("data_licence") or card.get("data_licences")
    if isinstance(said, dict):
        return "; ".join(f"{name}: {terms}" for name, terms in said.items())
    if isinstance(said, list):
        return "; ".join(map(str, said))
    return str(said or "not stated")


def _progress(name: str, done: int, size: int) -> None:
    if sys.stderr.isatty():
        share = done / size if size else 1.0
        click.echo(f"\r{name:48.48} {share:6.1%}", nl=done >= size, err=True)
