"""``DataArray.rsvlm``: the same answers as from the file the array came from."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
from factories import make_scene, scatter
from oracle_cli import Seer

import rsvlm_geo
from rsvlm_geo.errors import MissingCRSError, SceneError

pytest.importorskip("xarray")
rioxarray = pytest.importorskip("rioxarray")

from rsvlm_geo.xarray import RsvlmAccessor  # noqa: E402

OBJECTS = scatter(500, 400, 20, seed=8)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scene")
    return make_scene(folder / "s.tif", width=500, height=400, objects=OBJECTS, rotation=0.0)


def test_an_array_answers_as_its_file(path: Path) -> None:
    with rioxarray.open_rasterio(path) as array:
        counted = array.rsvlm.count("thing", model=Seer())
    of_file = rsvlm_geo.count(path, "thing", model=Seer())
    assert counted.total.value == of_file.total.value == len(OBJECTS)
    assert counted.answers.crs == of_file.answers.crs
    left, right = counted.objects.geometry, of_file.objects.geometry
    assert left.geom_equals_exact(right, 1e-6).all()


def test_lazy_arrays_are_read_by_windows(path: Path) -> None:
    pytest.importorskip("dask.array")
    with rioxarray.open_rasterio(path, chunks={"x": 256, "y": 256}) as array:
        assert array.rsvlm.count("thing", model=Seer()).total.value == len(OBJECTS)


@pytest.mark.parametrize("verb", ["caption", "classify", "describe"])
def test_the_verbs_are_there(path: Path, verb: str) -> None:
    with rioxarray.open_rasterio(path) as array:
        result = getattr(array.rsvlm, verb)(model=Seer())
    assert result.task == verb and result.complete


def test_the_verbs_take_what_the_functions_take() -> None:
    for verb in ("describe", "caption", "classify", "count", "locate", "presence", "ask"):
        mine = list(inspect.signature(getattr(RsvlmAccessor, verb)).parameters)[1:]
        function = list(inspect.signature(getattr(rsvlm_geo, verb)).parameters)[1:]
        assert mine == function, verb


def test_an_array_without_a_place_says_so(path: Path) -> None:
    import numpy as np
    import xarray

    plain: Any = xarray.DataArray(np.zeros((3, 64, 64), np.uint8), dims=("band", "y", "x"))
    try:
        result = plain.rsvlm.caption(model=Seer())
    except (MissingCRSError, SceneError) as error:
        assert "CRS" in str(error)
    else:
        assert result.answers.crs is None
