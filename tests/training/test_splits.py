"""Splits leak nothing: plots, sequences and images stay on one side."""

from __future__ import annotations

from rsvlm_geo.training import splits


def tree(name: str, east: float | None = None, north: float = 4_110_000.0) -> dict[str, object]:
    row: dict[str, object] = {"file": name + ".jpg", "site": name[:4]}
    if east is not None:
        row["georef"] = {"transform": [0.1, 0.0, east, 0.0, -0.1, north]}
    return row


def test_plots_of_one_kilometre_and_years_share_a_split() -> None:
    rows = [tree(f"SJER_{i:03d}", 255_000.0 + i * 7) for i in range(40)]
    rows += [{"file": "x", "base": f"2018_SJER_3_255000_4110000_image_{i}"} for i in range(9)]
    assert len(set(splits.tree_splits(rows))) == 1


def test_years_of_one_plot_share_a_split() -> None:
    for i in range(60):
        rows = [{"file": "a", "base": f"BART_{i:03d}_{y}"} for y in (2017, 2018, 2019)]
        assert len(set(splits.tree_splits(rows))) == 1


def test_tree_shares() -> None:
    rows = [{"file": "a", "base": f"BART_{i:03d}_2019"} for i in range(1000)]
    parts = splits.tree_splits(rows)
    assert 0.13 < parts.count("val") / 1000 < 0.23
    assert 0.06 < parts.count("calib") / 1000 < 0.14


def test_frames_of_a_car_sequence_share_a_split() -> None:
    assert {splits.car_split(f"MOS{i}.jpg") for i in range(74, 94)} == {"val"}
    assert {splits.car_split(f"MOS{i}.jpg") for i in range(155, 180)} == {"train"}
    assert splits.car_split("DJI_0762-00001.jpg") == "calib"
    assert splits.car_split("DJI-00760-00001.jpg") == "train"


def test_the_measured_street_is_never_trained_on() -> None:
    assert {splits.street_split(f"hr_{i}.jpg") for i in range(12)} == {"calib", "val"}
    assert splits.street_split("hr_12.jpg") == "train"
    assert splits.street_split("lr_3.jpg") == "skip"


def test_the_sets_own_val_stays_val() -> None:
    assert splits.scene_split("a.jpg", "val") == "val"
    assert splits.ucm_box_split("airplane00.jpg", "val") == "val"
