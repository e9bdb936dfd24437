"""What is installed, what really runs, and what is wrong: for people, and for the plugin."""

from __future__ import annotations

import contextlib
import json
import math
import os
import platform
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import Any

import rsvlm_geo
from rsvlm_geo.errors import RsvlmError
from rsvlm_geo.protocol import PROTOCOL
from rsvlm_geo.vlm import Vlm

__all__ = ["describe_pack", "installed_versions", "list_packs", "measure_speed", "report"]

_PACKAGES = (
    "numpy", "rasterio", "pyogrio", "geopandas", "shapely", "pyproj", "pyarrow", "tokenizers",
    "onnxruntime", "onnxruntime-gpu", "onnxruntime-directml", "pystac-client", "distributed",
    "xarray", "matplotlib",
)  # fmt: skip
_OPTIONAL = _PACKAGES[9:]


def installed_versions() -> dict[str, str | None]:
    """Package -> version, None when it is not installed; imports nothing."""
    found: dict[str, str | None] = {}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found


def list_packs() -> list[dict[str, Any]]:
    """The packs that can be loaded by name; reads their cards only."""
    from rsvlm_geo.model.registry import iter_packs

    return [describe_pack(folder) for folder in iter_packs()]


def describe_pack(folder: Path) -> dict[str, Any]:
    """A pack's card in short; its files are not checked here."""
    card: dict[str, Any] = {}
    with contextlib.suppress(OSError, ValueError):
        card = json.loads((folder / "rsvlm.json").read_text(encoding="utf-8"))
    scales = card.get("scales") or []
    limits: list[float | None] = [None, None]
    if scales:
        limits = [
            min(float(row["native_gsd_m"][0]) for row in scales),
            max(float(row["native_gsd_m"][1]) for row in scales),
        ]
    classes = [row if isinstance(row, str) else row.get("name") for row in card.get("classes", [])]
    return {
        "name": str(card.get("name") or folder.name),
        "version": str(card.get("version", "0")),
        "path": str(folder),
        "licence": str(card.get("licence", "")),
        "tasks": list(card.get("tasks", [])),
        "classes": classes,
        "gsd_range_m": [None if v is None or not math.isfinite(v) else v for v in limits],
        "embedded": Path(__file__).resolve().parent in folder.resolve().parents,
    }


def report(
    model: Vlm | None = None,
    *,
    load: bool = True,
    model_name: str | None = None,
    provider: str = "auto",
) -> dict[str, Any]:
    """Everything ``rsvlm-geo doctor`` shows.

    Args:
        model: A model that is loaded already, to report on instead of loading one.
        load: Whether to load the pack and measure it.
        model_name: Name or folder of the pack to load.
        provider: Where it should run.
    """
    problems: list[str] = []
    versions = installed_versions()
    for name, version in versions.items():
        if version is None and name not in _OPTIONAL:
            problems.append(f"{name} is not installed; run: pip install rsvlm-geo")
    facts: dict[str, Any] = {
        "protocol": PROTOCOL,
        "version": rsvlm_geo.__version__,
        "python": platform.python_version(),
        "executable": sys.executable,
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "versions": versions,
        "gdal": _gdal(problems),
        "providers": _providers(problems),
        "packs": list_packs(),
        "active": None,
        "problems": problems,
    }
    if not facts["packs"]:
        problems.append("no model pack found; run: rsvlm-geo models import FOLDER")
    elif model is None and load:
        try:
            from rsvlm_geo.model import load_model

            model = load_model(model_name, provider=provider)
        except RsvlmError as error:
            problems.append(str(error))
    if model is not None:
        facts["active"] = _active(model, problems)
    return facts


def _gdal(problems: list[str]) -> dict[str, Any]:
    """GDAL and PROJ as rasterio and pyproj see them, and whether PROJ's database works."""
    facts: dict[str, Any] = {}
    try:
        import pyproj
        import rasterio
        from rasterio.crs import CRS

        facts["gdal"] = rasterio.__gdal_version__
        facts["proj"] = pyproj.proj_version_str
        facts["proj_data"] = pyproj.datadir.get_data_dir()
        facts["drivers"] = {
            name: name in _vector_drivers() for name in ("GPKG", "FlatGeobuf", "GeoJSON")
        }
        CRS.from_epsg(32633).to_wkt()
    except Exception as error:
        text = " ".join(str(error).split())
        told = [n for n in ("PROJ_LIB", "PROJ_DATA", "GDAL_DATA") if os.environ.get(n)]
        step = f"unset {', '.join(told)}" if told else "install rasterio again"
        problems.append(f"GDAL or PROJ do not work: {text}; {step}")
    return facts


def _vector_drivers() -> dict[str, str]:
    import pyogrio

    drivers: dict[str, str] = pyogrio.list_drivers(write=True)
    return drivers


def _providers(problems: list[str]) -> list[str]:
    from rsvlm_geo.model.providers import import_onnxruntime, installed_wheels

    try:
        ort = import_onnxruntime()
    except RsvlmError as error:
        problems.append(str(error))
        return []
    wheels = installed_wheels()
    if len(wheels) > 1:
        problems.append(
            f"{' and '.join(wheels)} overwrite each other; "
            f"pip uninstall -y {' '.join(wheels)}, then install one of them"
        )
    return list(ort.get_available_providers())


def _active(model: Vlm, problems: list[str]) -> dict[str, Any]:
    """The loaded model: where each graph runs, and how fast."""
    info = model.info
    facts: dict[str, Any] = {
        "name": info.name,
        "version": info.version,
        "sha256": info.sha256,
        "licence": info.licence,
        "provider": info.provider,
        "image_size": info.image_size,
        "tasks": sorted(info.tasks),
        "graphs": graphs_of(model),
    }
    try:
        facts["tiles_per_s"] = measure_speed(model)
    except Exception as error:
        facts["tiles_per_s"] = {}
        problems.append(f"{info.name} does not run: {' '.join(str(error).split())}")
    return facts


def graphs_of(model: Vlm) -> dict[str, str]:
    """Graph file -> the provider that is really active for it, as ONNX Runtime itself says."""
    found: dict[str, str] = {}

    def look(value: Any, depth: int) -> None:
        path, provider = getattr(value, "path", None), getattr(value, "provider", None)
        if isinstance(path, Path) and isinstance(provider, str) and hasattr(value, "ort"):
            found[path.name] = value.ort.get_providers()[0]
        elif depth and hasattr(value, "__dict__"):
            for inner in vars(value).values():
                look(inner, depth - 1)

    look(model, 2)
    return found


def measure_speed(model: Vlm, seconds: float = 1.0) -> dict[str, float]:
    """Task -> tiles a second, each on at least two batches after a warm-up."""
    import numpy as np

    from rsvlm_geo.tasks import make_question

    info = model.info
    side = info.image_size
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 255, (4, 8, 8, 3), dtype=np.uint8)
    images = np.repeat(np.repeat(coarse, -(-side // 8), 1), -(-side // 8), 2)[:, :side, :side]
    speeds: dict[str, float] = {}
    for task in ("classify", "caption", "count"):
        if task not in info.tasks:
            continue
        target = (info.classes[0].name if info.classes else "car") if task == "count" else None
        question = make_question(task, target=target)
        model.ask(images[:1], [question])
        asked, start = 0, time.perf_counter()
        while asked < 8 or (time.perf_counter() - start < seconds and asked < 64):
            model.ask(images, [question])
            asked += len(images)
        speeds[task] = round(asked / (time.perf_counter() - start), 2)
    return speeds
