"""Answers and objects as files that open well: GeoPackage with styles, GeoParquet, and others."""

from rsvlm_geo.layers.geopackage import layer_styles
from rsvlm_geo.layers.tables import (
    ANSWER_COLUMNS,
    OBJECT_COLUMNS,
    RUN_COLUMNS,
    Layers,
    StyleFacts,
    make_frame,
    polygons,
)
from rsvlm_geo.layers.write import (
    SUFFIXES,
    check_not_read,
    check_outputs,
    output_files,
    to_lonlat,
    write_layers,
)

__all__ = [
    "ANSWER_COLUMNS",
    "OBJECT_COLUMNS",
    "RUN_COLUMNS",
    "SUFFIXES",
    "Layers",
    "StyleFacts",
    "check_not_read",
    "check_outputs",
    "layer_styles",
    "make_frame",
    "output_files",
    "polygons",
    "to_lonlat",
    "write_layers",
]
