"""What a run gives back: tables, totals with their coverage, and ways to look at and keep them."""

from __future__ import annotations

import html
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rsvlm_geo.answers import STATUSES, Coverage
from rsvlm_geo.layers import Layers, check_not_read, check_outputs, to_lonlat, write_layers
from rsvlm_geo.pipeline.summary import Statement
from rsvlm_geo.pipeline.totals import Total, all_told
from rsvlm_geo.scene import Scene

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["PICTURES", "Result"]

PICTURES = (".png", ".jpg", ".pdf", ".svg")
"""Suffixes that :meth:`Result.save` draws a map for."""


@dataclass(slots=True)
class Result:
    """The answers of one run about one scene, on the map."""

    task: str
    run_id: str
    scene: Scene
    layers: Layers
    coverage: Coverage
    """Of the asked area; refused or failed where any question was."""
    coverage_words: str
    """The same for people: of several questions, which were refused, and where."""
    totals: tuple[Total, ...]
    """One per counted class."""
    statements: tuple[Statement, ...]
    """The summary, sentence by sentence, with the tiles each rests on."""
    counts: Mapping[str, int]
    """Status -> answers."""
    tiles: int
    """Tiles in the asked area."""
    done: int
    """Of those, finished."""
    elapsed_s: float
    kept: Path | None = field(default=None, repr=False)
    """Folder of finished tiles, until :meth:`save` or :meth:`forget` removes it."""

    @property
    def answers(self) -> gpd.GeoDataFrame:
        """One row per tile and question, in the scene's CRS."""
        return self.layers.answers

    @property
    def objects(self) -> gpd.GeoDataFrame | None:
        """One row per object, merged across tiles; None when none were asked for."""
        return self.layers.objects

    @property
    def run(self) -> gpd.GeoDataFrame:
        """One row of provenance."""
        return self.layers.run

    @property
    def total(self) -> Total | None:
        """The total of a run that counts one class; None of others, see :attr:`totals`."""
        return self.totals[0] if len(self.totals) == 1 else None

    @property
    def cancelled(self) -> bool:
        """Whether it was stopped before the last tile."""
        return self.done < self.tiles

    @property
    def complete(self) -> bool:
        """Whether nothing failed or is missing, and every total speaks for all that has data.

        A caption or class that is refused is an answer, and leaves a run complete; so does nodata.
        """
        return all_told(self.coverage, self.totals)

    @property
    def provenance(self) -> dict[str, Any]:
        """What was asked of which pixels by which model and software."""
        loaded: dict[str, Any] = json.loads(self.run["provenance"].iloc[0])
        return loaded

    @property
    def __geo_interface__(self) -> dict[str, Any]:
        """The answers as a GeoJSON feature collection in longitude and latitude."""
        collection: dict[str, Any] = json.loads(to_lonlat(self.answers).to_json(na="null"))
        collection.pop("crs", None)
        return collection

    def summary(self) -> str:
        """The scene in sentences, with what was refused, and how much of it was seen."""
        return "\n".join(statement.text for statement in self.statements)

    def save(self, *paths: str | os.PathLike[str], picture_px: int = 1600) -> list[Path]:
        """Write layers and maps; the suffix of each path decides the format.

        Args:
            paths: ``.gpkg .parquet .fgb .geojson`` for layers, ``.png .jpg .pdf .svg`` for a map.
            picture_px: Longer side of a map.

        Returns:
            The files written: formats that hold one layer write the objects beside the answers.

        Raises:
            OutputError: It cannot be written; what was there before is unchanged.
        """
        wanted = [Path(path) for path in paths]
        check_outputs(wanted, also=PICTURES)
        check_not_read(wanted, self.scene.files)
        written: list[Path] = []
        for path in wanted:
            if path.suffix.lower() in PICTURES:
                from rsvlm_geo.pipeline.plot import save_map

                written.append(save_map(self, path, size_px=picture_px))
            else:
                written += write_layers(self.layers, path)
        if not self.cancelled:
            self.forget()
        return written

    def forget(self) -> None:
        """Remove the finished tiles that were kept for a resume."""
        if self.kept is not None:
            import shutil

            shutil.rmtree(self.kept, ignore_errors=True)
            self.kept = None

    def plot(self, ax: Any = None, *, question: int = 0, size_px: int = 1600) -> Any:
        """Draw the map with matplotlib and return its Axes.

        Args:
            ax: Axes to draw on; a new figure by default.
            question: Which of the run's questions colours the tiles.
            size_px: Longer side of the picture below.
        """
        from rsvlm_geo.pipeline.plot import draw_map

        return draw_map(self, ax, question=question, size_px=size_px)

    def __str__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        """A card for notebooks: sentences, statuses, and the first answers."""
        lines = "".join(f"<p>{html.escape(item.text)}</p>" for item in self.statements)
        chips = " · ".join(
            f"{self.counts[name]} {name}" for name in STATUSES if self.counts.get(name)
        )
        head = self.answers.drop(columns="geometry").head(8)
        shown: Sequence[str] = ["tile_id", "task", "status", "answer", "confidence", "reason"]
        table = head[list(shown)].to_html(index=False, na_rep="", border=0, escape=True)
        return (
            f"<div><h4>{html.escape(self.task)}: {html.escape(self.scene.name)}</h4>{lines}"
            f"<p><small>{chips}, by {html.escape(str(self.run['model'].iloc[0]))} in "
            f"{self.elapsed_s:.1f} s</small></p>{table}</div>"
        )
