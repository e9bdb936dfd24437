"""The picture of a run: what its legend names, and where north is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from factories import make_scene
from oracle_cli import Seer

import rsvlm_geo

plt = pytest.importorskip("matplotlib.pyplot")


def legend(axes: Any) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_the_legend_says_which_question_was_refused_and_where_data_is_missing(
    tmp_path: Path,
) -> None:
    path = make_scene(
        tmp_path / "s.tif", width=256, height=128, nodata=0, holes=[(192, 0, 256, 128)],
        objects=[(10, 10, 30, 30)],
    )  # fmt: skip
    model = Seer(min_confidence={"classify": 0.8})
    axes = rsvlm_geo.describe(path, ["thing"], model=model, margin_m=0).plot()
    names = legend(axes)
    assert "scene class refused (1)" in names and "no data in part of a tile" in names
    hatched = [c for c in axes.collections if c.get_hatch()]
    assert [c.get_hatch() for c in hatched] == ["/"] and hatched[0].get_edgecolor()[0][3] < 0.6
    assert "refused: scene class" in axes.get_xlabel()
    axes = rsvlm_geo.classify(path, model=model, margin_m=0).plot()
    assert "refused (1)" in legend(axes)
    plt.close("all")


@pytest.mark.parametrize("rotation", [0.0, 30.0])
def test_north_is_shown_on_a_map_that_is_turned(tmp_path: Path, rotation: float) -> None:
    path = make_scene(tmp_path / "s.tif", width=128, height=128, rotation=rotation)
    axes = rsvlm_geo.caption(path, model=Seer()).plot()
    arrows = [text for text in axes.texts if text.get_text() == "N"]
    assert len(arrows) == (1 if rotation else 0)
    plt.close("all")


def test_a_map_without_a_place_has_no_north(tmp_path: Path) -> None:
    path = make_scene(tmp_path / "s.tif", width=128, height=128, crs=None, rotation=30.0)
    axes = rsvlm_geo.caption(path, model=Seer()).plot()
    assert not [text for text in axes.texts if text.get_text() == "N"]
    plt.close("all")
