"""At which ground resolution a scene is shown: fine enough for the object, and wide enough."""

from __future__ import annotations

import pytest

from rsvlm_geo.pipeline import plan_job, questions_for
from rsvlm_geo.scene import open_scene
from rsvlm_geo.vlm import ClassInfo, ModelInfo, ScaleRule
from tests.factories import make_scene


class Silent:
    info = ModelInfo(
        "silent",
        256,
        frozenset({"classify", "caption", "count"}),
        classes=(
            ClassInfo("car", max_gsd_m=0.35, size_m=8.0, min_size_m=1.5),
            ClassInfo("airplane", max_gsd_m=1.0, size_m=75.0, min_size_m=6.0),
            ClassInfo("tree", max_gsd_m=0.2, size_m=20.0, min_size_m=1.0),
            ClassInfo("bike", max_gsd_m=0.35, size_m=3.0, min_size_m=1.0, read_gsd_m=0.15),
        ),
        scales=(ScaleRule((0.02, 1.0), (0.1, 0.3), "fine", scene_gsd_m=0.3),),
    )

    def ask(self, images: object, questions: object) -> list[list[object]]:
        raise AssertionError("nothing is asked while planning")


@pytest.mark.parametrize(
    ("native", "task", "target", "shown"),
    [
        (0.15, "count", "car", 0.15),
        (0.05, "count", "car", 0.1),
        (0.15, "count", "airplane", 0.3),
        (0.15, "count", "car,airplane", 0.21),
        (0.15, "classify", None, 0.3),
        (0.05, "describe", None, 0.12),
        (0.5, "classify", None, 0.3),
        (0.3, "count", "bike", 0.15),
        (0.12, "count", "bike", 0.12),
        (0.3, "count", "bike,airplane", 0.15),
        (0.3, "count", "bike,unicorn", 0.15),
        (0.3, "describe", None, 0.3),
        (0.3, "describe", "bike", 0.3),
        (0.05, "describe", "bike", 0.21),
    ],
)
def test_shown_gsd(tmp_path, native: float, task: str, target: str | None, shown: float) -> None:
    path = make_scene(tmp_path / "s.tif", res=native, width=600, height=500)
    scene = open_scene(path)
    questions = questions_for(task, Silent.info, target=target, gsd_m=scene.gsd_m)
    job = plan_job(scene, task, questions, Silent())
    assert job.plan.gsd_m == pytest.approx(shown, rel=0.03)
