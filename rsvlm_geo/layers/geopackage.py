"""GeoPackage: three tables, each with its QGIS style inside, so that any QGIS opens it styled.

Version 1.3, because QGIS on GDAL older than 3.7 warns about 1.4. Styles go into ``layer_styles``,
the table that QGIS reads the default style from; nothing of QGIS is needed to write it.
"""

from __future__ import annotations

import json
import sqlite3
import warnings
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pyogrio

from rsvlm_geo.layers.style import answers_style, objects_style, run_style
from rsvlm_geo.layers.tables import Layers

__all__ = ["layer_styles", "write_geopackage"]

_DESCRIPTIONS = {
    "answers": "One row per tile and question; a refusal is an answer with its reason.",
    "objects": "One row per object found, merged across tiles.",
    "run": "What was asked of which scene by which model, and how much of it was seen.",
}
_STYLES_TABLE = """
CREATE TABLE layer_styles (
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT(256),
  f_table_schema TEXT(256), f_table_name TEXT(256), f_geometry_column TEXT(256),
  styleName TEXT(30), styleQML TEXT, styleSLD TEXT, useAsDefault BOOLEAN, description TEXT,
  owner TEXT(30), ui TEXT(30),
  update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')))
"""


def layer_styles(layers: Layers) -> dict[str, str]:
    """Layer name -> its QGIS style (QML)."""
    styles = {
        "answers": answers_style(layers.style.questions, layers.style.tile_m),
        "run": run_style(),
    }
    if layers.objects is not None:
        found = layers.objects["label"].value_counts()
        areas = layers.objects["area_m2"].dropna()
        side = float(areas.median()) ** 0.5 if len(areas) else None
        styles["objects"] = objects_style([str(name) for name in found.index], side)
    return styles


def write_geopackage(layers: Layers, path: Path) -> None:
    """Write the whole file; ``path`` must not exist and be a temporary name."""
    for name, table in layers.named().items():
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="'crs' was not provided")
            pyogrio.write_dataframe(
                table,
                path,
                layer=name,
                driver="GPKG",
                geometry_type="MultiPolygon" if name == "run" else "Polygon",
                promote_to_multi=name == "run",
                dataset_options={"VERSION": "1.3"},
                layer_options={"DESCRIPTION": _DESCRIPTIONS[name]},
                append=path.exists(),
            )
    with closing(sqlite3.connect(path)) as database, database:
        _add_styles(database, layer_styles(layers))
        _add_metadata(database, str(layers.run["provenance"].iloc[0]))


def _add_styles(database: sqlite3.Connection, styles: Mapping[str, str]) -> None:
    database.execute(_STYLES_TABLE)
    database.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, last_change) "
        "VALUES ('layer_styles', 'attributes', 'layer_styles', 'Styles for QGIS', "
        "strftime('%Y-%m-%dT%H:%M:%fZ','now'))"
    )
    for name, qml in styles.items():
        database.execute(
            "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, "
            "f_geometry_column, styleName, styleQML, styleSLD, useAsDefault, description, owner) "
            "VALUES ('', '', ?, 'geom', ?, ?, '', 1, ?, '')",
            (name, name, qml, _DESCRIPTIONS[name]),
        )


def _add_metadata(database: sqlite3.Connection, provenance: str) -> None:
    """The run's provenance by GeoPackage's own metadata extension, for readers without QGIS."""
    json.loads(provenance)
    database.executescript(
        """
        CREATE TABLE gpkg_metadata (
          id INTEGER CONSTRAINT m_pk PRIMARY KEY ASC NOT NULL,
          md_scope TEXT NOT NULL DEFAULT 'dataset', md_standard_uri TEXT NOT NULL,
          mime_type TEXT NOT NULL DEFAULT 'text/xml', metadata TEXT NOT NULL DEFAULT '');
        CREATE TABLE gpkg_metadata_reference (
          reference_scope TEXT NOT NULL, table_name TEXT, column_name TEXT, row_id_value INTEGER,
          timestamp DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
          md_file_id INTEGER NOT NULL, md_parent_id INTEGER,
          CONSTRAINT crmr_mfi_fk FOREIGN KEY (md_file_id) REFERENCES gpkg_metadata(id));
        CREATE TABLE IF NOT EXISTS gpkg_extensions (
          table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL,
          definition TEXT NOT NULL, scope TEXT NOT NULL,
          CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name));
        """
    )
    for table in ("gpkg_metadata", "gpkg_metadata_reference"):
        database.execute(
            "INSERT INTO gpkg_extensions VALUES (?, NULL, 'gpkg_metadata', "
            "'http://www.geopackage.org/spec121/#extension_metadata', 'read-write')",
            (table,),
        )
    database.execute(
        "INSERT INTO gpkg_metadata (id, md_standard_uri, mime_type, metadata) "
        "VALUES (1, 'urn:rsvlm-geo:run', 'application/json', ?)",
        (provenance,),
    )
    database.execute(
        "INSERT INTO gpkg_metadata_reference (reference_scope, md_file_id) VALUES ('geopackage', 1)"
    )
