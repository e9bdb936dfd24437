"""Everything that can go wrong, done on purpose: each must say what, and what to do."""

import os
import signal

import hands
from hands import DATA, FACTS, iface, shot, until, wait
from qgis.core import QgsCoordinateReferenceSystem, QgsProject, QgsRasterLayer
from rsvlm_geo_qgis import service, settings

SAID: dict[str, list[str]] = {}


def engine(name: str) -> None:
    service.close()
    settings.put("engine/python", DATA["engines"].get(name, name))
    hands.plugin().dock.engine_changed()
    wait(0.1)


def said(case: str, start: bool = True) -> None:
    dock = hands.plugin().dock
    if start:
        dock.start()
    until(lambda: dock.run is None, case, 60)
    wait(0.2)
    SAID[case] = hands.messages()
    if not SAID[case]:
        shot(f"silent_{len(SAID)}")
    iface.messageBar().clearWidgets()


def scenario() -> None:
    hands.window(1300, 900)
    hands.plugin().open_action.trigger()
    dock = until(lambda: hands.plugin().dock, "the dock")
    form = dock.form
    hands.choose(form.task, "caption")
    hands.choose(form.area, "whole")
    said("no raster")
    bare = QgsRasterLayer(DATA["bare"], "bare")
    bare.setCrs(QgsCoordinateReferenceSystem())
    QgsProject.instance().addMapLayer(bare)
    said("no CRS")
    QgsProject.instance().removeMapLayer(bare.id())
    layer = QgsRasterLayer(DATA["raster"], "scene")
    QgsProject.instance().addMapLayer(layer)
    QgsProject.instance().write(DATA["project"])
    until(lambda: form.layer.currentLayer() is not None, "the layer is chosen")
    for case, name in (
        ("wrong engine path", "/nowhere/python"),
        ("engine too old", "old"),
        ("engine without our package", "crash"),
        ("disk full", "full"),
        ("unreadable source", "unreadable"),
    ):
        engine(name)
        if case == "engine too old":
            wait(0.5)
            shot("bad_engine_too_old")
        said(case)
    engine("nopack")
    until(lambda: form.set_up_box.isVisible(), "the box about packs", 20)
    SAID["engine without a pack"] = [form.set_up_text.text()]
    engine("slow")
    until(lambda: form.model.count(), "the slow engine's model")
    dock.start()
    until(lambda: form.table.model.total > 0, "it runs")
    os.kill(service.engine().pid, signal.SIGKILL)
    said("engine killed", start=False)
    dock.start()
    until(lambda: form.table.model.total > 0, "it runs again by itself")
    dock.start()
    SAID["two runs at once"] = hands.messages()
    iface.messageBar().clearWidgets()
    QgsProject.instance().removeMapLayer(layer.id())
    wait(0.3)
    dock.cancel()
    said("layer removed while running, then cancelled", start=False)
    layer = QgsRasterLayer(DATA["raster"], "scene")
    QgsProject.instance().addMapLayer(layer)
    engine("quick")
    until(lambda: form.model.count(), "the quick engine's model")
    dock.start()
    QgsProject.instance().removeMapLayer(layer.id())
    until(lambda: dock.run is None, "a run whose layer is gone")
    until(lambda: any("seen" in line for line in hands.messages()), "its results all the same")
    SAID["layer removed while running"] = hands.messages()
    iface.messageBar().clearWidgets()
    layer = QgsRasterLayer(DATA["raster"], "scene")
    QgsProject.instance().addMapLayer(layer)
    FACTS["said"] = SAID
    engine("slow")
    until(lambda: form.model.count(), "the slow engine's model")
    dock.start()
    until(lambda: form.table.model.total > 0, "it runs while QGIS is closed")
    FACTS["engine_pid"] = service.engine().pid


hands.begin(scenario)
