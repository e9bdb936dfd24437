"""From a checkpoint to a pack: graphs, settings, card; all of it or nothing."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rsvlm_geo.errors import ExportError, OutputError
from rsvlm_geo.export.families import Family
from rsvlm_geo.export.graph import OPSETS, Part, export_part
from rsvlm_geo.export.measure import choose_variant, measure_variants
from rsvlm_geo.export.sample import florence_side
from rsvlm_geo.export.settings import write_settings
from rsvlm_geo.export.source import Checkpoint, open_checkpoint
from rsvlm_geo.export.variants import SUFFIXES, VARIANTS, derive_variant, half_model
from rsvlm_geo.export.verify import Verification, make_reference, verify_graphs
from rsvlm_geo.model.families import FAMILIES as RUN_FAMILIES

__all__ = ["Exported", "export_checkpoint", "export_clip", "export_pack"]

_CARD = "rsvlm.json"
_SUFFIX = {"fp32": "fp32", "fp32-stored": "fp32", "fp16": "fp16", "int8": "int8", "int4": "q4"}
"""Variant -> its name in the card, which is that of its files."""
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Exported:
    """A pack that was written."""

    folder: Path
    family: str
    parts: tuple[str, ...]
    seconds: float
    """Processor time, for the graphs alone."""
    verification: Verification | None
    """Of the fp32 graphs against torch; None when it was not asked for."""


def export_pack(
    source: str,
    out: str | Path,
    *,
    revision: str | None = None,
    vit: str | None = None,
    variants: Sequence[str] = ("fp32",),
    opset: int = 18,
    verify: bool = True,
    name: str | None = None,
    licence: str | None = None,
    say: Say = lambda line: None,
) -> Exported:
    """Export a checkpoint to a pack.

    Args:
        source: A folder, or ``owner/name`` on the hub.
        out: The pack's folder; must not exist, or be empty.
        revision: The hub's commit.
        vit: The vision tower of a checkpoint in two parts.
        variants: Names of :data:`rsvlm_geo.export.variants.VARIANTS`, or ``auto`` alone: each part
            as measured best on this CPU.
        opset: 18 or 23.
        verify: Compare with torch and write the result into the pack.
        name: Of the pack; None: the checkpoint's.
        licence: Of the weights; None: what the checkpoint's card states.
        say: Told what is being done, line by line.

    Raises:
        ExportError: It cannot be exported, or the graphs are not the model.
        OutputError: ``out`` is taken or cannot be written.
    """
    _check_request(variants, opset)
    _check_out(Path(out))
    say(f"loading {source}")
    checkpoint = open_checkpoint(source, revision=revision, vit=vit)
    return export_checkpoint(
        checkpoint,
        out,
        variants=variants,
        opset=opset,
        verify=verify,
        name=name,
        licence=licence,
        say=say,
    )


def export_checkpoint(
    checkpoint: Checkpoint,
    out: str | Path,
    *,
    variants: Sequence[str] = ("fp32",),
    opset: int = 18,
    verify: bool = True,
    name: str | None = None,
    licence: str | None = None,
    say: Say = lambda line: None,
) -> Exported:
    """The same for a checkpoint that is loaded already; see :func:`export_pack`."""
    _check_request(variants, opset)
    target = Path(out)
    _check_out(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        result = _write(checkpoint, partial, variants, opset, verify, name or target.name,
                        licence, say)  # fmt: skip
        if target.is_dir():
            target.rmdir()
        partial.chmod(0o755)
        partial.rename(target)
    except OSError as error:
        if isinstance(error, ExportError):
            raise
        raise OutputError(f"{target} cannot be written: {error}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return Exported(target, *result)


def export_clip(model: Any, tokenizer: Any, out: str | Path, **options: Any) -> Exported:
    """Write a CLIP as a pack: ``vision_model`` and ``text_model``.

    Args:
        model: A transformers ``CLIPModel``.
        tokenizer: A transformers fast tokenizer, or the folder that holds one.
        out: The pack's folder.
        options: As for :func:`export_pack`: ``variants``, ``opset``, ``verify``, ``name``,
            ``licence``, ``say``.
    """
    from rsvlm_geo.export.families import FAMILIES

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        if isinstance(tokenizer, (str, Path)):
            folder = Path(tokenizer)
        else:
            tokenizer.save_pretrained(folder)
        side = model.config.vision_config.image_size
        checkpoint = Checkpoint(
            model.eval(),
            FAMILIES["clip"],
            folder,
            Path(out).name,
            {"folder": "in memory"},
            preprocessor={
                "image_processor_type": "CLIPImageProcessor",
                "size": {"shortest_edge": side},
                "crop_size": {"height": side, "width": side},
                "do_center_crop": True,
                "resample": 3,
                "image_mean": [0.48145466, 0.4578275, 0.40821073],
                "image_std": [0.26862954, 0.26130258, 0.27577711],
            },
        )
        return export_checkpoint(checkpoint, out, **options)


def _check_request(variants: Sequence[str], opset: int) -> None:
    unknown = sorted(set(variants) - {*VARIANTS, "auto"})
    if unknown or not variants:
        raise ExportError(f"no variant {', '.join(unknown) or '(none given)'}; take {VARIANTS}")
    if "auto" in variants and len(variants) > 1:
        raise ExportError("'auto' chooses the variants itself; give it alone")
    if {"fp32", "fp32-stored"} <= set(variants):
        raise ExportError("fp32 and fp32-stored are one file; take one of them")
    if opset not in OPSETS:
        raise ExportError(f"opset {opset} is none of {OPSETS}; 18 is the portable one")


def _check_out(target: Path) -> None:
    if target.is_file() or (target.is_dir() and any(target.iterdir())):
        raise OutputError(f"{target} exists; remove it or choose another folder")


def _write(
    checkpoint: Checkpoint,
    root: Path,
    variants: Sequence[str],
    opset: int,
    verify: bool,
    name: str,
    licence: str | None,
    say: Say,
) -> tuple[str, tuple[str, ...], float, Verification | None]:
    family, model = checkpoint.family, checkpoint.model
    (root / "onnx").mkdir()
    checks: list[Verification] = []
    with tempfile.TemporaryDirectory(dir=root) as scratch:
        build = Path(scratch)
        seconds, files = _export_all(family, model, build, opset, say)
        reference = None
        if verify:
            say("verifying against torch")
            sample, torch_says, positions = make_reference(family, model)
            reference = (sample, torch_says, positions)
            checks.append(verify_graphs(family, files, sample, torch_says, positions=positions))
            _require_equal(checks[0], checkpoint.name)
        chosen, measured = _make_variants(family, model, files, root, variants, opset, say)
        if reference is not None:
            sample, torch_says, positions = reference
            for variant, made in _by_variant(root, files, variants, chosen):
                if variant != "fp32":
                    say(f"verifying {variant}")
                    checks.append(
                        verify_graphs(
                            family, made, sample, torch_says, variant=variant, positions=positions
                        )
                    )
    write_settings(checkpoint, root)
    card = {
        "format": 1,
        "name": name,
        "version": "1",
        "family": family.model_type,
        "licence": licence if licence is not None else checkpoint.licence,
        "source": dict(checkpoint.source),
        "exported_with": _versions(),
        "opset": opset,
        "variants": _preferred(files, variants, chosen),
        **_what_it_does(checkpoint),
    }
    if measured:
        card["measured"] = measured
    if checks:
        card["verification"] = [check.to_json() for check in checks]
    card["sha256"] = _hashes(root)
    text = json.dumps(card, indent=1, ensure_ascii=False) + "\n"
    (root / _CARD).write_text(text, encoding="utf-8")
    say(f"wrote {len(card['sha256'])} files")
    return family.model_type, tuple(files), seconds, checks[0] if checks else None


def _export_all(
    family: Family, model: Any, folder: Path, opset: int, say: Say
) -> tuple[float, dict[str, Path]]:
    began = time.process_time()
    files = {}
    for part in parts_of(family, model):
        say(f"exporting {part.name}")
        files[part.name] = export_part(part, folder / f"{part.name}.onnx", opset=opset)
    return time.process_time() - began, files


def parts_of(family: Family, model: Any) -> list[Part]:
    """The parts of a model."""
    options = {"side": florence_side(model)} if family.model_type == "florence2" else {}
    return family.parts(model, **options)


def _require_equal(check: Verification, name: str) -> None:
    if check.equal:
        return
    worst = max(check.stages.items(), key=lambda item: item[1], default=("none", 0.0))
    raise ExportError(
        f"the graphs of {name} are not the model: {check.identical} of {check.steps} greedy tokens "
        f"identical, logits differ by {check.max_logit_diff:.2g}, {worst[0]} by {worst[1]:.2g}; "
        f"nothing was written. Please report this with {check.against}"
    )


def _make_variants(
    family: Family,
    model: Any,
    files: Mapping[str, Path],
    root: Path,
    variants: Sequence[str],
    opset: int,
    say: Say,
) -> tuple[dict[str, str], dict[str, Any]]:
    """Fill ``onnx/``. Returns part -> variant where ``auto`` chose, and what it measured."""
    onnx = root / "onnx"
    if tuple(variants) == ("auto",):
        return _auto(files, onnx, say)
    for variant in variants:
        if variant == "fp16":
            say("exporting fp16")
            for part in parts_of(family, half_model(model)):
                export_part(part, onnx / f"{part.name}_fp16.onnx", opset=opset)
            continue
        for part_name, path in files.items():
            say(f"{part_name} as {variant}")
            target = onnx / f"{part_name}{SUFFIXES[variant]}.onnx"
            if variant == "fp32":
                _copy_graph(path, target)
            else:
                derive_variant(path, target, variant)
    return {}, {}


def _auto(files: Mapping[str, Path], onnx: Path, say: Say) -> tuple[dict[str, str], dict[str, Any]]:
    chosen, measured = {}, {}
    for part, path in files.items():
        made = {"fp32": path}
        for variant in ("fp32-stored", "int8", "int4"):
            target = path.with_name(f"{part}.{variant}.onnx")
            made[variant] = derive_variant(path, target, variant)
        rows = measure_variants(made)
        best = choose_variant(rows)
        say(f"{part}: {best}")
        chosen[part] = best
        measured[part] = [row.to_json() for row in rows]
        target = onnx / f"{part}{SUFFIXES[best]}.onnx"
        if best == "fp32" or made[best].with_name(made[best].name + "_data").is_file():
            # a file of weights is named inside its graph, so it is derived again in place
            _copy_graph(path, target) if best == "fp32" else derive_variant(path, target, best)
        else:
            shutil.copyfile(made[best], target)
    return chosen, measured


def _copy_graph(path: Path, target: Path) -> None:
    shutil.copyfile(path, target)
    beside = path.with_name(path.name + "_data")
    if beside.is_file():
        shutil.copyfile(beside, target.with_name(beside.name))


def _by_variant(
    root: Path, files: Mapping[str, Path], variants: Sequence[str], chosen: Mapping[str, str]
) -> list[tuple[str, dict[str, Path]]]:
    onnx = root / "onnx"
    if chosen:
        return [("auto", {p: onnx / f"{p}{SUFFIXES[v]}.onnx" for p, v in chosen.items()})]
    return [(v, {p: onnx / f"{p}{SUFFIXES[v]}.onnx" for p in files}) for v in variants]


def _preferred(
    files: Mapping[str, Path], variants: Sequence[str], chosen: Mapping[str, str]
) -> dict[str, dict[str, str]]:
    """What to take on which kind of device, in the words of the pack's reader."""
    if chosen:
        taken = {part: _SUFFIX[variant] for part, variant in chosen.items()}
        return {"cpu": taken, "gpu": taken}
    cpu = next((v for v in variants if v != "fp16"), "fp16")
    gpu = next((v for v in ("fp16", "fp32", "fp32-stored") if v in variants), variants[0])
    return {
        "cpu": dict.fromkeys(files, _SUFFIX[cpu]),
        "gpu": dict.fromkeys(files, _SUFFIX[gpu]),
    }


def _what_it_does(checkpoint: Checkpoint) -> dict[str, Any]:
    """Tasks and conventions; sizes and classes are the settings' and the user's to say."""
    if checkpoint.family.kind == "two_towers":
        return {"tasks": []}
    family = RUN_FAMILIES[checkpoint.family.model_type]
    said: dict[str, Any] = {"tasks": sorted(family.tasks)}
    if family.boxes is not None:
        said["boxes"] = family.boxes
    return said | dict(checkpoint.card)


def _hashes(root: Path) -> dict[str, str]:
    found = {}
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        digest = hashlib.sha256()
        with path.open("rb") as handle:
            while block := handle.read(1 << 20):
                digest.update(block)
        found[path.relative_to(root).as_posix()] = digest.hexdigest()
    return found


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    names = ("rsvlm-geo", "torch", "transformers", "onnx", "onnxscript")
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except ImportError:
            continue
    return found
