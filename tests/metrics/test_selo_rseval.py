"""Semantic localisation by hand, and the published toolkit's scores with their defects."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rsvlm_geo.errors import DataError
from rsvlm_geo.metrics.rseval import coco_mask, rseval
from rsvlm_geo.metrics.selo import _box_filter, _max_filter, find_centres, mask_of, selo

SQUARE = [(20, 20), (59, 20), (59, 59), (20, 59)]


def test_heat_inside_the_region_by_hand() -> None:
    heat = np.zeros((100, 100))
    heat[20:60, 20:60] = 0.8
    heat[80:90, 80:90] = 0.4
    out = selo(heat, [SQUARE], soften_px=5, window_px=100)
    left = (1600 * 0.8) / (100 * 0.4 + 1e-7)
    assert out.rsu == pytest.approx(1 - math.exp(-0.707 * left * (10000 - 1600) / 1600))
    # a flat-topped square softened stays symmetric: its peak is its centre, (39, 39)
    assert find_centres(heat, soften_px=5, window_px=100) == [(39, 39)]
    assert out.ras == pytest.approx(0.0)
    assert out.rda == 1.0
    assert out.rmi == pytest.approx(0.4 * out.rsu + 0.35 + 0.25)


def test_shifted_and_double_peaks_by_hand() -> None:
    heat = np.full((200, 200), 0.01)
    heat[30, 40] = heat[30, 60] = 1.0
    region = [(20, 0), (80, 0), (80, 60), (20, 60)]
    out = selo(heat, [region], soften_px=1, window_px=11)
    radius = int(math.hypot(30, 30) * 1.5)
    shift = 10 / radius
    assert out.ras == pytest.approx((math.exp(3 * shift) - 1) / (math.exp(3) - 1))
    assert out.rda == pytest.approx(0.5 * (1 - 10 / radius) + math.exp(-0.5 * 4))


def test_a_cold_map_has_no_peak() -> None:
    out = selo(np.full((50, 50), 0.2), [SQUARE], soften_px=3, window_px=9)
    assert (out.ras, out.rda) == (1.0, 0.0)


def test_filters_equal_brute_force() -> None:
    scipy = pytest.importorskip("scipy.ndimage")
    grey = np.floor(np.random.default_rng(0).uniform(0, 255, (37, 53)))
    for size in (2, 5, 8, 20):
        assert np.array_equal(_max_filter(grey, size), scipy.maximum_filter(grey, size))
        mine = _box_filter(grey, size)
        assert np.abs(mine - scipy.uniform_filter(grey, size, mode="mirror")).max() <= 0.5 + 1e-9
    assert np.array_equal(_max_filter(grey, 1000), np.full(grey.shape, grey.max()))


def test_selo_refuses_what_it_cannot_judge() -> None:
    with pytest.raises(DataError, match=r"0\.\.1"):
        selo(np.full((9, 9), 200.0), [SQUARE])
    with pytest.raises(DataError, match="got none"):
        selo(np.zeros((9, 9)), [])
    with pytest.raises(DataError, match="inside the map"):
        selo(np.zeros((9, 9)), [SQUARE])
    assert mask_of([SQUARE], (100, 100)).sum() == 1600


def row(pred: str, answer: str, **more: object) -> dict[str, object]:
    return {"pred": pred, "answer": answer, **more}


def test_published_defects_are_reproduced() -> None:
    assert rseval(
        "cls", [row("", "airport"), row("air", "airport"), row("airport.", "airport")]
    ) == {"perception": pytest.approx(2 / 3)}
    assert rseval("presence", [row("No.", "no"), row("yes, not far", "yes"), row("no", "no")]) == {
        "perception": pytest.approx(1 / 3)
    }
    assert rseval("mc", [row("The Answer is C", "C"), row("C", "C")])["perception"] == 0.5
    with pytest.raises(DataError, match="record 0: no letter"):
        rseval("mc", [row("none of them", "C")])
    assert rseval("counting", [row("1,024", "1"), row("about seven", "9")])["MAE"] == 1.0
    with pytest.raises(DataError, match="no number"):
        rseval("counting", [row("many", "9")])
    with pytest.raises(DataError, match="MAPE by 0"):
        rseval("counting", [row("1", "0")])
    out = rseval("mae", [row("0.5 m, maybe 1", "0.5"), row("0.4", "0.5")])
    assert out["MAE"] == pytest.approx(0.1)
    assert out["Parsing_Failure_ratio"] == 0.5
    assert rseval("color", [row("It is white", "white,red")])["perception"] == 0.5
    with pytest.raises(DataError, match="first answer"):
        rseval("bbox", [row("none", "[0,0,9,9]", size=[100, 200])])
    query = "Answer using:built-up, water."
    assert rseval(
        "ml", [row("built-up", "water", query=query), row("water", "water", query=query)]
    ) == {"average CP": pytest.approx(0.5)}
    with pytest.raises(DataError, match="take one of"):
        rseval("none", [row("", "")])


def test_published_box_and_outline_scores() -> None:
    # size is (h, w): x is scaled by 200, y by 100
    rows = [
        row("[[0, 0, 500, 500]]", "[0, 0, 100, 50]", size=[100, 200]),
        row("nothing", "[0, 0, 10, 10]", size=[100, 200]),
    ]
    out = rseval("bbox", rows)
    assert out["precision"] == 0.5
    assert out["precision_S"] == 0.0
    assert out["precision_M"] == 1.0
    ring = "[(100, 100), (500, 100), (500, 500), (100, 500), (100, 100)]"
    loose = "[(100, 100), (500, 100), (500, 500), (100, 500)]"
    out = rseval("ciou", [row(loose, ring, size=[100, 100])])
    assert out["mean_iou"] == pytest.approx(1.0)
    assert out["mean_ciou"] == pytest.approx(1 - 1 / 9)


def test_coco_filling_equals_its_own_library() -> None:
    faster = pytest.importorskip("faster_coco_eval")
    rng = np.random.default_rng(5)
    for _ in range(25):
        n = int(rng.integers(3, 9))
        points = rng.uniform(0, 45, 2 * n).round(2).tolist()
        rle = faster.mask.frPyObjects([points], 40, 40)
        expected = faster.mask.decode(rle).reshape(40, 40) != 0
        assert np.array_equal(coco_mask(points, 40, 40), expected)
