"""``rsvlm-geo export`` and ``rsvlm-geo verify``."""

from __future__ import annotations

import sys
from typing import Any

import click

__all__ = ["export", "table", "verify"]

_VARIANTS = ("fp32", "fp32-stored", "fp16", "int8", "int4", "auto")


def _source_options(command: Any) -> Any:
    for option in (
        click.option("--revision", help="Commit on the hub, 40 hex digits; required there."),
        click.option("--vit", help="The vision tower of a VHM or LLaVA checkpoint in two parts."),
    ):
        command = option(command)
    return command


@click.command()
@click.argument("source")
@click.option("-o", "--out", required=True, help="The pack's folder.")
@_source_options
@click.option(
    "--variant",
    "variants",
    multiple=True,
    type=click.Choice(_VARIANTS),
    default=("fp32-stored",),
    show_default=True,
    help="May be repeated. fp32-stored: weights stored as fp16, computed in fp32. fp16: for GPUs. "
    "auto: each part as measured best on this CPU.",
)
@click.option("--opset", type=click.Choice(["18", "23"]), default="18", show_default=True)
@click.option("--verify/--no-verify", "check", default=True, show_default=True)
@click.option("--name", help="Of the pack; the folder's, unless given.")
@click.option("--licence", help="Of the weights; what the model card states, unless given.")
@click.option(
    "--with-optimum",
    is_flag=True,
    help="Use optimum-onnx (its own extra and environment) instead; not compared with torch.",
)
def export(
    source: str,
    out: str,
    revision: str | None,
    vit: str | None,
    variants: tuple[str, ...],
    opset: str,
    check: bool,
    name: str | None,
    licence: str | None,
    with_optimum: bool,
) -> None:
    """Export a vision-language model to an ONNX pack.

    SOURCE is a folder, or owner/name on the hub with --revision. LLaVA, VHM, Idefics3, SmolVLM,
    Qwen2-VL, Qwen2.5-VL, PaliGemma, Florence-2, BLIP, GIT, vision-encoder-decoder, CLIP. Code
    that comes with a checkpoint is never run.

    \b
    rsvlm-geo export HuggingFaceTB/SmolVLM-256M-Instruct --revision SHA -o packs/smolvlm
    rsvlm-geo export vhm_7b/ --vit vhm_7b_vit/ -o packs/vhm-7b --variant int4
    """
    if with_optimum:
        from rsvlm_geo.export.optimum import export_with_optimum

        click.echo(
            export_with_optimum(
                source,
                out,
                revision=revision,
                opset=int(opset),
                licence=licence or "",
                say=lambda line: click.echo(line, err=True),
            )
        )
        return
    from rsvlm_geo.export import export_pack

    done = export_pack(
        source,
        out,
        revision=revision,
        vit=vit,
        variants=variants,
        opset=int(opset),
        verify=check,
        name=name,
        licence=licence,
        say=lambda line: click.echo(line, err=True),
    )
    click.echo(f"{done.folder}: {done.family}, {', '.join(done.parts)} in {done.seconds:.1f} s")
    if done.verification is not None:
        click.echo(f"fp32 graphs: {_sentence(done.verification)}")


@click.command()
@click.argument("pack")
@click.argument("source")
@_source_options
@click.option("--write/--no-write", default=True, help="Put the result into rsvlm.json.")
@click.option("--seed", default=0, show_default=True, help="Of the random inputs.")
def verify(
    pack: str, source: str, revision: str | None, vit: str | None, write: bool, seed: int
) -> None:
    """Compare a PACK's graphs with the SOURCE checkpoint in torch, stage by stage.

    Exits 1 when graphs that compute in float32 are not the model.
    """
    from rsvlm_geo.export import verify_pack

    checks = verify_pack(pack, source, revision=revision, vit=vit, write=write, seed=seed)
    for check in checks:
        click.echo(f"{check.variant}: {_sentence(check)}")
        for stage, diff in check.stages.items():
            click.echo(
                f"  {stage}: max |diff| {diff:.2g} of values up to {check.scales[stage]:.3g}"
            )
    if any(check.variant == "fp32" and not check.equal for check in checks):
        sys.exit(1)


@click.command()
@click.option("-o", "--out", default="docs/export.md", show_default=True)
@click.option("--opset", type=click.Choice(["18", "23"]), default="18", show_default=True)
@click.option("--family", "families", multiple=True, help="Only these; all unless given.")
def table(out: str, opset: str, families: tuple[str, ...]) -> None:
    """Export every family on tiny random weights and write down how it compares with torch."""
    from rsvlm_geo.export.table import write_table

    equal = write_table(
        out, opset=int(opset), families=families, say=lambda line: click.echo(line, err=True)
    )
    click.echo(out)
    if not equal:
        sys.exit(1)


def _sentence(check: Any) -> str:
    verdict = "equal to torch" if check.equal else "not equal to torch"
    if check.steps == 0:
        return f"{verdict}; lowest cosine {check.cosine:.7f}"
    return (
        f"{verdict}; {check.identical} of {check.steps} greedy tokens identical, "
        f"max |dlogit| {check.max_logit_diff:.2g}, lowest cosine {check.cosine:.6f}"
    )
