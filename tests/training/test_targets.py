"""Turning, drawing, reading: a box put into targets comes back out of the maps."""

from __future__ import annotations

import numpy as np
import pytest

from rsvlm_geo.model.mini_boxes import ClassRule, count_distribution, find_boxes

torch = pytest.importorskip("torch")

from rsvlm_geo.training import augment, object_loss  # noqa: E402

BOXES = np.array([[20, 30, 60, 90], [150, 40, 170, 50], [100, 180, 240, 250]], np.float32)


def test_targets_read_back_as_boxes() -> None:
    labels = np.array([0, 4, 0])
    heat, _, edges, _ = object_loss.draw_targets(BOXES, labels, np.zeros(3, bool), 256)
    for channel, want in ((0, BOXES[[0, 2]]), (4, BOXES[[1]])):
        peaks = np.where(heat[channel] > 0.999, heat[channel], 0)
        rule = ClassRule("x", channel, 0.3, 0.3, 1.0, 0.0, 1.0, 0.0)
        got = find_boxes(peaks.astype(np.float32), edges, rule, 256).boxes
        order = np.lexsort(got.T)
        np.testing.assert_allclose(got[order], want[np.lexsort(want.T)], atol=1e-3)


def test_ignored_boxes_neither_wanted_nor_punished() -> None:
    heat, care, _, weight = object_loss.draw_targets(
        BOXES[:1], np.array([0]), np.ones(1, bool), 256
    )
    assert heat.max() == 0 and weight.max() == 0
    assert care[0, 7, 5] == 0 and care[1].min() == 1


@pytest.mark.parametrize("k", range(4))
@pytest.mark.parametrize("flip", [False, True])
def test_turned_boxes_follow_the_pixels(k: int, flip: bool) -> None:
    image = np.zeros((256, 256, 3), np.uint8)
    x0, y0, x1, y1 = BOXES[1].astype(int)
    image[y0:y1, x0:x1] = 255
    turned = augment.turn_image(image, k, flip)
    (bx0, by0, bx1, by1) = augment.turn_boxes(BOXES[1:2], k, flip, 256)[0].astype(int)
    assert turned[by0:by1, bx0:bx1].min() == 255
    assert turned.sum() == image.sum()


@pytest.mark.parametrize("angle", [0.0, 0.4, 1.3, 2.5])
@pytest.mark.parametrize("scale", [0.5, 1.0, 1.4])
def test_a_turned_window_and_its_boxes_agree(angle: float, scale: float) -> None:
    image = np.zeros((300, 320, 3), np.uint8)
    image[140:150, 120:180] = 255
    box = np.array([[120, 140, 180, 150]], np.float32)
    out = augment.rotate_crop(image, (160.0, 150.0), scale, angle, 256)
    y, x = np.nonzero(out[:, :, 0] > 127)
    seen = [x.min(), y.min(), x.max() + 1, y.max() + 1]
    got = augment.rotate_boxes(box, (160.0, 150.0), scale, angle, 256)[0]
    np.testing.assert_allclose(got, seen, atol=2.5)


def test_perfect_edges_cost_nothing() -> None:
    _, _, edges, weight = object_loss.draw_targets(BOXES, np.zeros(3, int), np.zeros(3, bool), 256)
    e, w = torch.from_numpy(edges)[None], torch.from_numpy(weight)[None]
    assert float(object_loss.edge_loss(e, e, w)) == pytest.approx(0.0, abs=1e-6)
    assert float(object_loss.edge_loss(e * 1.5, e, w)) > 0.2


def test_count_distribution_is_brute_force() -> None:
    p = np.array([0.9, 0.5, 0.2])
    brute = np.zeros(4)
    for bits in np.ndindex(2, 2, 2):
        on = np.array(bits, bool)
        brute[on.sum()] += np.prod(np.where(on, p, 1 - p))
    np.testing.assert_allclose(count_distribution(p), brute)
