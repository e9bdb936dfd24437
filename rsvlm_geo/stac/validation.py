"""Validate STAC documents without a network.

The core schemas are those that come with pystac. The rules of the extensions that this project
writes are restated in ``schemas/``; they are not the extensions' own documents.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

from rsvlm_geo.errors import StacError, require

__all__ = ["EXTENSIONS", "validate"]

_BASE = "https://stac-extensions.github.io/"
EXTENSIONS = {
    name: f"{_BASE}{name}/v{version}/schema.json"
    for name, version in (
        ("file", "2.1.0"),
        ("mlm", "1.5.2"),
        ("processing", "1.2.0"),
        ("projection", "2.0.0"),
        ("table", "1.2.0"),
    )
}
"""Extension -> address of the version that is written and validated."""


def validate(document: Mapping[str, Any]) -> None:
    """Check an Item, Collection or Catalog against the core and every extension it declares.

    Args:
        document: Its JSON.

    Raises:
        StacError: The first thing that is wrong, and where; or an extension with no schema here.
    """
    kind = {"Feature": "item", "Collection": "collection", "Catalog": "catalog"}.get(
        str(document.get("type"))
    )
    if kind is None:
        got = document.get("type")
        raise StacError(f"a STAC document is a Feature, Collection or Catalog; got {got!r}")
    core, registry = _schemas()
    checks = {f"the STAC {kind} core": core[kind]}
    for uri in document.get("stac_extensions") or []:
        name = next((n for n, known in EXTENSIONS.items() if known == uri), None)
        if name is None:
            raise StacError(f"no rules of {uri} are kept here; there are {', '.join(EXTENSIONS)}")
        checks[f"the {name} extension"] = _extension(name)
    jsonschema = require("jsonschema", extra="stac")
    for title, schema in checks.items():
        validator = jsonschema.Draft7Validator(
            schema, registry=registry, format_checker=jsonschema.FormatChecker()
        )
        error = jsonschema.exceptions.best_match(validator.iter_errors(document))
        if error is not None:
            where = "/".join(str(p) for p in error.absolute_path) or "the top"
            raise StacError(
                f"{document.get('id')} breaks {title} at {where}: {error.message[:200]}"
            )


@lru_cache(maxsize=1)
def _schemas() -> tuple[dict[str, Any], Any]:
    require("pystac", extra="stac")
    referencing = require("referencing", extra="stac")
    from referencing.jsonschema import DRAFT7

    root = files("pystac").joinpath("validation", "jsonschemas")
    found: dict[str, Any] = {}
    resources = []
    for folder in ("stac-spec/v1.1.0", "geojson"):
        for path in root.joinpath(folder).iterdir():
            if path.name.endswith(".json"):
                schema = json.loads(path.read_text(encoding="utf-8"))
                found[path.name.removesuffix(".json")] = schema
                resource = DRAFT7.create_resource(schema)
                uri = str(schema["$id"]).rstrip("#")
                # one of the published schemas has a slip in its own address
                for alias in (uri, uri.rpartition("/")[0] + "/" + path.name):
                    resources.append((alias, resource))
    return found, referencing.Registry(retrieve=_refuse).with_resources(resources)


def _refuse(uri: str) -> Any:
    from referencing.exceptions import NoSuchResource

    raise NoSuchResource(uri)


@lru_cache(maxsize=16)
def _extension(name: str) -> Any:
    version = EXTENSIONS[name].split("/v")[1].split("/")[0]
    text = files("rsvlm_geo.stac").joinpath("schemas", f"{name}-v{version}.json").read_text("utf-8")
    return json.loads(text)
