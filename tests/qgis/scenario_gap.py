"""How long the GUI does not come round: idle, while a run goes, and when its rows arrive."""

import gc
import time

import hands
from hands import DATA, FACTS, Heartbeat, drawn, until, wait
from qgis.core import QgsProject, QgsRasterLayer


def scenario() -> None:
    hands.window()
    layer = QgsRasterLayer(DATA["raster"], "scene")
    QgsProject.instance().addMapLayer(layer)
    QgsProject.instance().write(DATA["project"])
    hands.plugin().open_action.trigger()
    dock = until(lambda: hands.plugin().dock, "the dock")
    form = dock.form
    until(lambda: form.model.count(), "the models")
    hands.choose(form.task, DATA.get("task", "count"))
    hands.choose(form.area, "whole")
    form.words.setEditText(DATA.get("words", "car"))
    drawn()
    spent = FACTS.setdefault("slow_calls", [])

    def timed(thing: object, name: str) -> None:
        inner = getattr(thing, name)

        def outer(*args: object) -> object:
            began = time.perf_counter()
            got = inner(*args)
            took = time.perf_counter() - began
            if took > 0.02:
                spent.append(f"{name} {took:.3f}")
            return got

        setattr(thing, name, outer)

    for thing, name in (
        (dock, "_show_state"), (form, "show_totals"), (form, "hide_progress"), (form.table.model, "add"),  # noqa: E501
        (form, "show_progress"), (form.table, "refresh"), (dock, "_show_provider"), (dock._loader, "_step"), (dock, "_shown"),  # noqa: E501
    ):  # fmt: skip
        timed(thing, name)
    began: list[float] = []

    def collected(phase: str, info: dict) -> None:
        if phase == "start":
            began.append(time.perf_counter())
        elif began:
            took = time.perf_counter() - began.pop()
            if took > 0.02:
                spent.append(f"gc of generation {info['generation']}: {took:.3f}")

    gc.callbacks.append(collected)
    wait(1)
    beat, suspect = Heartbeat(), float(DATA.get("suspect_s", 0))
    beat.start()
    wait(4)
    FACTS["idle_s"] = beat.stop()
    form.run_button.click()
    until(lambda: form.table.model.total > 0, "first answers", 120)
    beat.start(suspect)
    until(lambda: dock.run is None, "the end", 400)
    FACTS["running_s"] = beat.stop()
    FACTS["running_late"] = beat.late
    FACTS["running_took_s"] = sum(beat.gaps)
    FACTS["running_beats"] = len(beat.gaps)
    FACTS["running_over_60ms"] = sum(gap > 0.06 for gap in beat.gaps)
    beat.start(suspect)
    until(lambda: len(QgsProject.instance().mapLayers()) >= 2, "the layers", 60)
    drawn(120)
    wait(0.5)
    FACTS["completion_s"] = beat.stop()
    FACTS["rows"] = form.table.model.total
    beat.start(suspect)
    form.table.search.setText("car")
    wait(1)
    FACTS["filter_s"] = beat.stop()
    FACTS["shown"] = form.table.model.rowCount()
    dock.form.runs_menu.aboutToShow.emit()
    beat.start(suspect)
    dock.form.runs_menu.actions()[0].trigger()
    until(lambda: not dock.history.reading(), "rows of the history", 120)
    FACTS["history_s"] = beat.stop()


hands.begin(scenario)
