# SPDX-License-Identifier: GPL-2.0-or-later
"""A raster layer as something the engine can open: a path, or a rendering of the layer.

Layers of the gdal provider go to the engine by path (files, ``/vsicurl``, ``/vsizip``,
subdatasets). Everything else (WMS, XYZ, WCS, databases) is rendered for the asked area to a
temporary cloud-optimised GeoTIFF. *What I see* passes the layer's own bands and stretch, and
renders the layer when its style is more than that.
"""

from __future__ import annotations

import math
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from osgeo import gdal, osr
from qgis.core import (
    QgsContrastEnhancement,
    QgsCoordinateReferenceSystem,
    QgsDistanceArea,
    QgsMapRendererCustomPainterJob,
    QgsMapSettings,
    QgsMultiBandColorRenderer,
    QgsPointXY,
    QgsProject,
    QgsProviderRegistry,
    QgsRasterLayer,
    QgsRectangle,
    QgsSingleBandGrayRenderer,
)
from qgis.PyQt.QtCore import QSize, Qt
from qgis.PyQt.QtGui import QImage, QPainter

from .i18n import tr

__all__ = ["LayerSource", "SourceError", "layer_path", "layer_stretch", "render", "source_of"]

MAX_SIDE_PX = 30_000
PIECE_PX = 1024


class SourceError(Exception):
    """A layer that cannot be handed to the engine; says what to do."""


@dataclass(frozen=True)
class LayerSource:
    """What the engine is told to open."""

    href: str
    """Path, URL or /vsi path; empty when the layer must be rendered first."""
    bands: list[int] | None = None
    """1-based bands shown as red, green, blue; the engine's choice when None."""
    stretch: list[list[float]] | None = None
    """Low and high per band; the engine's choice when None."""


def layer_path(layer: QgsRasterLayer) -> str:
    """Where a layer's pixels are, or an empty text when it has no file or /vsi source."""
    if layer.providerType() != "gdal":
        return ""
    source = layer.source()
    parts = QgsProviderRegistry.instance().decodeUri("gdal", source)
    path = str(parts.get("path") or "")
    if parts.get("layerName"):
        return source.split("|")[0]
    if re.match(r"^[A-Z][A-Za-z0-9_]+:", source) and not re.match(r"^[A-Za-z]:[\\/]", source):
        return source.split("|")[0]
    prefix = str(parts.get("vsiPrefix") or "")
    if prefix and not path.startswith(prefix):
        path = prefix + path + str(parts.get("vsiSuffix") or "")
    if path.startswith(("http://", "https://")):
        return "/vsicurl/" + path
    return path or source.split("|")[0]


def layer_stretch(layer: QgsRasterLayer) -> tuple[list[int], list[list[float]]] | None:
    """The bands and limits a layer is drawn with, or None when its style is more than a stretch."""
    renderer = layer.renderer()
    if isinstance(renderer, QgsMultiBandColorRenderer):
        bands = [renderer.redBand(), renderer.greenBand(), renderer.blueBand()]
        contrasts = [
            renderer.redContrastEnhancement(),
            renderer.greenContrastEnhancement(),
            renderer.blueContrastEnhancement(),
        ]
    elif isinstance(renderer, QgsSingleBandGrayRenderer):
        gradient = QgsSingleBandGrayRenderer.Gradient.WhiteToBlack
        if renderer.gradient() == gradient:
            return None
        bands, contrasts = [renderer.grayBand()] * 3, [renderer.contrastEnhancement()] * 3
    else:
        return None
    if min(bands) < 1:
        return None
    algorithm = QgsContrastEnhancement.ContrastEnhancementAlgorithm
    limits = []
    for contrast in contrasts:
        if contrast is None or contrast.contrastEnhancementAlgorithm() == algorithm.NoEnhancement:
            limits.append([0.0, 255.0])
        elif contrast.contrastEnhancementAlgorithm() == algorithm.StretchToMinimumMaximum:
            limits.append([contrast.minimumValue(), contrast.maximumValue()])
        else:
            return None
    if any(high <= low for low, high in limits):
        return None
    return bands, limits


def source_of(layer: QgsRasterLayer, *, seen: bool = False) -> LayerSource:
    """What to tell the engine of a layer.

    Args:
        layer: A valid raster layer; call on the main thread.
        seen: Show the model what the map shows.

    Raises:
        SourceError: Its file is gone, or it has no CRS.
    """
    if not layer.isValid():
        raise SourceError(
            tr("The layer “{name}” cannot be read; repair its data source.", name=layer.name())
        )
    if not layer.crs().isValid():
        raise SourceError(
            tr(
                "The layer “{name}” has no CRS, so answers have no place on the map; "
                "set it with right click ▸ Layer CRS ▸ Set Layer CRS.",
                name=layer.name(),
            )
        )
    path = layer_path(layer)
    if not path:
        return LayerSource("")
    local = "://" not in path and not path.startswith("/vsi") and ":" not in path[2:]
    if local and not Path(path).exists():
        raise SourceError(
            tr("The file of “{name}” is gone: {path}; repair its data source.",
               name=layer.name(), path=path)
        )  # fmt: skip
    path = _with_assigned_crs(layer, path)
    if seen:
        stretch = layer_stretch(layer)
        return LayerSource(path, *stretch) if stretch is not None else LayerSource("")
    return LayerSource(path)


def _with_assigned_crs(layer: QgsRasterLayer, path: str) -> str:
    """The path, or a VRT around it when the user gave the layer a CRS its file does not have."""
    dataset = gdal.Open(path)
    if dataset is None or dataset.GetGCPCount() or dataset.GetMetadata("RPC"):
        return path
    own = dataset.GetSpatialRef()
    wanted = osr.SpatialReference()
    if wanted.ImportFromWkt(layer.crs().toWkt(QgsCoordinateReferenceSystem.WktVariant.WKT2_2019)):
        return path
    if own is not None:
        in_file = QgsCoordinateReferenceSystem.fromWkt(own.ExportToWkt())
        if in_file == layer.crs() or own.IsSame(
            wanted, ["IGNORE_DATA_AXIS_TO_SRS_AXIS_MAPPING=YES"]
        ):
            return path
    if not dataset.GetProjection() and dataset.GetGeoTransform(can_return_null=True) is None:
        return path
    vrt = str(Path(tempfile.mkdtemp(prefix="rsvlm_")) / f"{Path(path).stem}.vrt")
    made = gdal.Translate(vrt, dataset, format="VRT", outputSRS=wanted.ExportToWkt())
    return vrt if made is not None else path


def gsd_of(extent: QgsRectangle, crs: QgsCoordinateReferenceSystem) -> float:
    """Metres of one unit of a CRS at an extent's centre."""
    if crs.isGeographic():
        measure = QgsDistanceArea()
        measure.setSourceCrs(crs, QgsProject.instance().transformContext())
        measure.setEllipsoid(crs.ellipsoidAcronym() or "EPSG:7030")
        centre = extent.center()
        step = 1e-4
        return measure.measureLine(centre, QgsPointXY(centre.x() + step, centre.y())) / step
    measure = QgsDistanceArea()
    measure.setSourceCrs(crs, QgsProject.instance().transformContext())
    measure.setEllipsoid("EPSG:7030")
    centre = extent.center()
    step = max(extent.width(), extent.height()) / 1000 or 1.0
    try:
        return measure.measureLine(centre, QgsPointXY(centre.x() + step, centre.y())) / step
    except Exception:
        return 1.0


def render(
    layer: QgsRasterLayer,
    extent: QgsRectangle,
    crs: QgsCoordinateReferenceSystem,
    gsd_m: float,
    path: str,
    *,
    cancelled: Callable[[], bool] = lambda: False,
    progress: Callable[[float], None] = lambda share: None,
) -> float:
    """Draw a layer into a temporary cloud-optimised GeoTIFF, piece by piece; any thread.

    Args:
        layer: A clone that belongs to the calling thread.
        extent: What to draw, in ``crs``.
        crs: Of the file.
        gsd_m: Metres per pixel of the file.
        path: The file to write.
        cancelled: Asked before each piece.
        progress: Told the share done, 0..1.

    Returns:
        The share of its pieces that came back empty (no picture), 0..1; nodata in the file.

    Raises:
        SourceError: The area is too large, all of it is empty, or the file cannot be written.
    """
    unit_m = gsd_of(extent, crs)
    pixel = gsd_m / unit_m
    width, height = (
        max(1, math.ceil(side / pixel - 0.1)) for side in (extent.width(), extent.height())
    )
    if max(width, height) > MAX_SIDE_PX:
        raise SourceError(
            tr("The area is {width} × {height} pixels at {gsd} m; choose a smaller area or a larger "  # noqa: E501
               "ground sampling distance.", width=width, height=height, gsd=f"{gsd_m:g}")
        )  # fmt: skip
    raw = path + ".raw.tif"
    driver = gdal.GetDriverByName("GTiff")
    dataset = driver.Create(raw, width, height, 4, gdal.GDT_Byte, ["TILED=YES", "COMPRESS=DEFLATE",
                            "PHOTOMETRIC=RGB", "ALPHA=YES", "BIGTIFF=IF_SAFER"])  # fmt: skip
    if dataset is None:
        raise SourceError(tr("Cannot write {path}; free the disk or its folder.", path=raw))
    try:
        dataset.SetGeoTransform((extent.xMinimum(), pixel, 0, extent.yMaximum(), 0, -pixel))
        dataset.SetProjection(crs.toWkt(QgsCoordinateReferenceSystem.WktVariant.WKT1_GDAL))
        pieces = [(x, y) for y in range(0, height, PIECE_PX) for x in range(0, width, PIECE_PX)]
        empty = 0
        for i, (x, y) in enumerate(pieces):
            if cancelled():
                return 0.0
            w, h = min(PIECE_PX, width - x), min(PIECE_PX, height - y)
            box = QgsRectangle(
                extent.xMinimum() + x * pixel,
                extent.yMaximum() - (y + h) * pixel,
                extent.xMinimum() + (x + w) * pixel,
                extent.yMaximum() - y * pixel,
            )
            data = _draw(layer, box, crs, w, h)
            if not any(data[3::4]):
                data = _draw(layer, box, crs, w, h)
                empty += 0 if any(data[3::4]) else 1
            dataset.WriteRaster(x, y, w, h, bytes(data), w, h, gdal.GDT_Byte, [1, 2, 3, 4],
                                buf_pixel_space=4, buf_line_space=4 * w, buf_band_space=1)  # fmt: skip  # noqa: E501
            progress((i + 1) / len(pieces))
        dataset.FlushCache()
        if empty == len(pieces):
            raise SourceError(
                tr("The layer “{name}” gave no picture of this area; check its connection and its "
                   "scale limits.", name=layer.name())
            )  # fmt: skip
        made = gdal.Translate(path, dataset, format="COG", creationOptions=["COMPRESS=DEFLATE"])
        if made is None:
            raise SourceError(tr("Cannot write {path}; free the disk or its folder.", path=path))
        return empty / len(pieces)
    finally:
        dataset = None
        Path(raw).unlink(missing_ok=True)


def _draw(
    layer: QgsRasterLayer, box: QgsRectangle, crs: QgsCoordinateReferenceSystem, w: int, h: int
) -> bytes:
    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setDestinationCrs(crs)
    settings.setOutputSize(QSize(w, h))
    settings.setExtent(box)
    settings.setBackgroundColor(Qt.GlobalColor.transparent)
    image = QImage(w, h, QImage.Format.Format_RGBA8888)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    job = QgsMapRendererCustomPainterJob(settings, painter)
    job.renderSynchronously()
    painter.end()
    bits = image.constBits()
    bits.setsize(image.sizeInBytes())
    stride = image.bytesPerLine()
    data = bytes(bits)
    if stride != 4 * w:
        data = b"".join(data[row * stride : row * stride + 4 * w] for row in range(h))
    return data
