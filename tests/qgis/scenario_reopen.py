"""Open a project that was saved with results: its layers are there, drawn and styled."""

import hands
from hands import DATA, FACTS, drawn, iface, shot, until, wait
from qgis.core import QgsProject, QgsVectorLayer


def scenario() -> None:
    hands.window()
    iface.addProject(DATA["project"])
    until(lambda: len(QgsProject.instance().mapLayers()) >= 2, "the project's layers")
    hands.plugin().open_action.trigger()
    dock = until(lambda: hands.plugin().dock, "the dock")
    hands.bare_interface()
    drawn()
    layers = QgsProject.instance().mapLayers().values()
    FACTS["layers"] = sorted(layer.name() for layer in layers)
    FACTS["valid"] = all(layer.isValid() for layer in layers)
    FACTS["renderers"] = {
        layer.name(): layer.renderer().type()
        for layer in layers
        if isinstance(layer, QgsVectorLayer)
    }
    FACTS["metadata"] = {
        layer.name(): bool(layer.metadata().identifier())
        for layer in layers if isinstance(layer, QgsVectorLayer)
    }  # fmt: skip
    dock.form.runs_menu.aboutToShow.emit()
    actions = dock.form.runs_menu.actions()
    FACTS["history"] = [action.text() for action in actions]
    counted = [action for action in actions if "Asked" not in action.text()]
    counted[0].trigger()
    until(lambda: dock.form.table.model.total > 0 and not dock.history.reading(), "its rows")
    FACTS["rows"] = dock.form.table.model.total
    iface.messageBar().clearWidgets()
    wait(0.3)
    drawn()
    shot("8_reopened")
    FACTS["messages"] = hands.messages()


hands.begin(scenario)
