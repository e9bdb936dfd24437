"""``rsvlm-geo doctor`` and ``rsvlm-geo serve``."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

import click

__all__ = ["doctor", "serve"]


@click.command()
@click.option("--model", help="Name or folder of a pack; the embedded one by default.")
@click.option("--provider", default="auto", show_default=True, help="Where it should run.")
@click.option("--json", "as_json", is_flag=True, help="As JSON on stdout.")
def doctor(model: str | None, provider: str, as_json: bool) -> None:
    """Show versions, providers, packs, and what really runs; exit 1 when something is wrong."""
    from rsvlm_geo.doctor import report

    facts = report(model_name=model, provider=provider)
    if as_json:
        click.echo(json.dumps(facts, indent=1, default=str))
    else:
        click.echo(as_text(facts))
    sys.exit(1 if facts["problems"] else 0)


def as_text(facts: Mapping[str, Any]) -> str:
    """The report for people."""
    gdal = facts["gdal"]
    have = [f"{name} {version}" for name, version in facts["versions"].items() if version]
    lines = [
        f"rsvlm-geo {facts['version']}  (protocol {facts['protocol']})",
        f"python    {facts['python']}  {facts['executable']}",
        f"system    {facts['platform']}, {facts['cpus']} CPUs",
        f"packages  {', '.join(have)}",
        f"gdal      {gdal.get('gdal', '?')}, proj {gdal.get('proj', '?')}"
        f"  {gdal.get('proj_data', '')}",
        f"runtime   {', '.join(facts['providers']) or 'no ONNX Runtime'}",
    ]
    for pack in facts["packs"]:
        low, high = pack["gsd_range_m"]
        scale = "any scale" if low is None else f"{low:g} to {high:g} m per pixel"
        lines.append(f"pack      {pack['name']} {pack['version']}, {scale}, {pack['path']}")
    active = facts["active"]
    if active is not None:
        lines.append(
            f"model     {active['name']} {active['version']} on {active['provider']}"
            f"  sha256 {active['sha256'][:16] or 'none'}"
        )
        lines += [f"  graph   {name}: {where}" for name, where in active["graphs"].items()]
        lines += [f"  speed   {task}: {rate} tiles/s" for task, rate in
                  active["tiles_per_s"].items()]  # fmt: skip
    lines += [f"PROBLEM   {problem}" for problem in facts["problems"]]
    if not facts["problems"]:
        lines.append("all well")
    return "\n".join(lines)


@click.command()
@click.option("--stdio", is_flag=True, help="JSON lines on stdin and stdout (the only way).")
def serve(stdio: bool) -> None:
    """Answer requests as JSON lines until stdin ends; the engine behind the QGIS plugin."""
    if not stdio:
        raise click.UsageError("pass --stdio: it talks JSON lines on stdin and stdout")
    from rsvlm_geo.serve import serve_stdio

    serve_stdio()
