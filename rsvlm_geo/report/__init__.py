"""One self-contained page about a run: map, answers, refusals, totals, provenance. No network.

``write_report("run.gpkg", "report.html")`` reads the three layers that a run saves, takes a small
picture of the scene when it is still where it was, and fills ``template.html``, which is built from
``web/`` (TypeScript, MapLibre GL) and carries its own script and style.
"""

from __future__ import annotations

from rsvlm_geo.report.page import render_page, write_report
from rsvlm_geo.report.payload import Picture, build_payload

__all__ = ["Picture", "build_payload", "render_page", "write_report"]
