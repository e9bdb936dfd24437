"""A closer look at a tile: crops that partition it, boxes back in its pixels, each once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rsvlm_geo.model.mini import MiniVlm
from rsvlm_geo.model.mini_boxes import ClassRule
from rsvlm_geo.model.mini_close import asked_about, look_closer, plan_crops, too_small
from rsvlm_geo.model.registry import find_pack
from rsvlm_geo.tasks import ask_question, make_question

RULE = ClassRule("car", 0, 0.3, 0.4, 1.0, 0.0, 2.0, 1.0)


@pytest.fixture(scope="module")
def embedded() -> MiniVlm:
    return MiniVlm(find_pack("rsvlm-mini"), "cpu", 1)


@pytest.mark.parametrize("times", [1.2, 1.4, 2.0, 2.34, 3.1])
def test_cores_partition_the_tile_and_crops_are_fine_enough(times: float) -> None:
    grid = plan_crops(256, times)
    seen = np.zeros((256, 256), int)
    for crop in grid:
        seen[crop.core.row_off : crop.core.row_end, crop.core.col_off : crop.core.col_end] += 1
    assert (seen == 1).all()
    assert 256 / grid.size[0] >= min(times, 1.75) * 0.98


def encode_marks(images: np.ndarray) -> dict[str, np.ndarray]:  # type: ignore[type-arg]
    """A head that sees white pixels, and the edges around them from the cell of their middle."""
    peaks = np.zeros((len(images), 1, 32, 32), np.float32)
    edges = np.zeros((len(images), 4, 32, 32), np.float32)
    for k, image in enumerate(images):
        rows, cols = np.nonzero(image[..., 0] > 127)
        if len(rows):
            row, col = int(rows.mean() // 8), int(cols.mean() // 8)
            x, y = (col + 0.5) * 8, (row + 0.5) * 8
            ends = (x - cols.min(), y - rows.min(), cols.max() + 1 - x, rows.max() + 1 - y)
            peaks[k, 0, row, col], edges[k, :, row, col] = 0.9, ends
    return {"peaks": peaks, "edges": edges}


@pytest.mark.parametrize("at", [(30, 40), (128, 128), (127, 60), (200, 240)])
def test_a_thing_is_found_once_where_it_lies(at: tuple[int, int]) -> None:
    image = np.zeros((1, 256, 256, 3), np.uint8)
    image[0, at[0] - 5 : at[0] + 5, at[1] - 5 : at[1] + 5] = 255
    (found,) = look_closer(encode_marks, image, {"car": RULE}, 0.3, 0.15)
    assert len(found["car"].boxes) == 1
    box = (at[1] - 5, at[0] - 5, at[1] + 5, at[0] + 5)
    assert found["car"].boxes[0] == pytest.approx(box, abs=1)
    assert found["car"].presence > 0.9


def test_who_is_too_small_at_which_scale(embedded: MiniVlm) -> None:
    assert too_small(embedded.info, 0.16) == too_small(embedded.info, 0.5) == {}
    assert set(too_small(embedded.info, 0.3)) == {"car", "tree"}
    about = [make_question("count", target="cars"), ask_question("What colour is the car?"),
             make_question("classify"), make_question("count", target="unicorn")]  # fmt: skip
    assert [asked_about(q, embedded.info) for q in about] == [{"car"}, {"car"}, set(), set()]


def test_a_parking_lot_at_half_its_resolution(embedded: MiniVlm) -> None:
    """36 cars are counted at 15 cm; at 30 cm without a closer look hardly half of them."""
    with Image.open(Path(__file__).parents[2] / "examples" / "parking_15cm.tif") as picture:
        image = np.asarray(picture.convert("RGB").resize((256, 256), Image.Resampling.BOX))[None]
    close, plain = (
        embedded.ask(image, [make_question("count", target="car", gsd_m=gsd_m)])[0][0]
        for gsd_m in (0.3, None)
    )
    assert (close.value or 0) == pytest.approx(36, abs=8)
    assert (plain.value or 0) < 24
