"""The whole way through the plugin in a real desktop, with real clicks."""

import time

import hands
from hands import DATA, FACTS, Heartbeat, click, drawn, iface, key, shot, until, wait, write
from qgis.core import QgsProject, QgsRasterLayer
from qgis.PyQt.QtCore import QPoint, Qt
from qgis.PyQt.QtWidgets import QDockWidget, QToolButton


def scenario() -> None:
    hands.window()
    layer = QgsRasterLayer(DATA["raster"], DATA["name"])
    QgsProject.instance().addMapLayer(layer)
    iface.mapCanvas().setExtent(layer.extent())
    iface.messageBar().clearWidgets()
    project = DATA["project"]
    QgsProject.instance().write(project)
    button = next(
        b for b in iface.mainWindow().findChildren(QToolButton)
        if b.defaultAction() is hands.plugin().open_action
    )  # fmt: skip
    click(button)
    dock = until(lambda: hands.plugin().dock, "the dock opens")
    hands.bare_interface()
    iface.mainWindow().resizeDocks(
        [iface.mainWindow().findChild(QDockWidget, "Layers"), dock],
        [330, 390],
        Qt.Orientation.Horizontal,
    )
    QgsProject.instance().layerTreeRoot().findLayer(layer.id()).setExpanded(False)
    FACTS["messages_before"] = hands.messages()
    idle = Heartbeat()
    idle.start()
    wait(2)
    FACTS["gap_idle_s"] = idle.stop()
    form = dock.form
    until(lambda: form.model.count(), "the engine's models are shown")
    iface.mapCanvas().zoomToFeatureExtent(layer.extent())
    drawn()
    hands.choose(form.task, DATA.get("task", "count"))
    hands.choose(form.area, "whole")
    if form.words.isVisible():
        click(form.words.lineEdit())
        key("ctrl+a")
        write(DATA.get("words", "car"))
    until(lambda: "tiles" in form.estimate.text(), "the estimate", 90)
    FACTS["estimate"] = form.estimate.text()
    shot("1_ready")

    beat = Heartbeat()
    beat.start()
    click(form.run_button)
    until(lambda: dock.run is not None, "the run begins")
    wait(0.4)
    shot("2_running")
    beat.start()
    until(lambda: dock.run is None, "the run ends", 200)
    FACTS["gap_run_s"] = beat.stop()
    beat.start()
    until(lambda: len(QgsProject.instance().mapLayers()) >= 2, "the layers come")
    wait(0.3)
    FACTS["gap_end_s"] = beat.stop()
    drawn()
    wait(0.5)
    FACTS["messages"] = hands.messages()
    FACTS["drawn"] = [x.name() for x in iface.mapCanvas().layers()]
    FACTS["rows"] = form.table.model.total
    FACTS["counts"] = dict(form.table.model.counts)
    FACTS["total"] = form.total.text()
    shot("3_done")

    iface.messageBar().clearWidgets()
    click(form.ask_button)
    until(lambda: iface.mapCanvas().mapTool() is dock.ask_here.tool, "the map tool")
    canvas = iface.mapCanvas()
    times = []
    for i, question in enumerate(DATA.get("questions", ["Is there a building?"] * 2)):
        place = DATA.get("places", [[0.45, 0.5], [0.6, 0.4]])[i]
        click(
            canvas.viewport(),
            QPoint(int(canvas.width() * place[0]), int(canvas.height() * place[1])),
        )
        popup = until(lambda: dock.ask_here._popup, "the popup")
        click(popup.line)
        write(question)
        if i == 0:
            shot("4_asking")
        before = time.perf_counter()
        key("Return")
        until(lambda: dock.ask_here._run is None and dock.ask_here._popup is None, "the answer", 60)
        times.append(time.perf_counter() - before)
        drawn()
    FACTS["ask_s"] = times
    wait(0.4)
    shot("5_asked")
    click(form.ask_button)

    index = form.table.model.index(min(3, form.table.model.rowCount() - 1), 1)
    rect = form.table.view.visualRect(index)
    before_extent = canvas.extent().toString()
    click(form.table.view.viewport(), rect.center())
    until(lambda: canvas.extent().toString() != before_extent, "the map goes there")
    wait(0.25)
    shot("6_flash")
    drawn()
    click(form.run_button)
    until(lambda: dock.run is not None, "the second run begins")
    until(lambda: form.table.model.total > 0, "first answers of the second run")
    at = time.perf_counter()
    click(form.cancel_button)
    pressed = time.perf_counter()
    until(lambda: dock.run is None, "the cancel", 20)
    FACTS["cancel_s"] = time.perf_counter() - pressed
    FACTS["cancel_with_click_s"] = time.perf_counter() - at
    FACTS["cancel_text"] = form.estimate.text()
    wait(0.3)
    shot("7_cancelled")
    iface.messageBar().clearWidgets()

    FACTS["layers"] = [x.name() for x in QgsProject.instance().mapLayers().values()]
    QgsProject.instance().write(project)


hands.begin(scenario)
