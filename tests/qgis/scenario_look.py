"""Pictures of what else there is: the options page after a test, the report, a map tip."""

import hands
from hands import DATA, FACTS, drawn, iface, shot, until, wait
from qgis.core import (
    QgsExpression,
    QgsExpressionContext,
    QgsExpressionContextUtils,
    QgsLayoutExporter,
    QgsProject,
)
from qgis.PyQt.QtCore import QTimer
from qgis.PyQt.QtWidgets import QApplication


def scenario() -> None:
    hands.window()
    hands.plugin().open_action.trigger()
    dock = until(lambda: hands.plugin().dock, "the dock")
    hands.bare_interface()
    iface.addProject(DATA["project"])
    until(lambda: len(QgsProject.instance().mapLayers()) >= 2, "the layers")
    iface.messageBar().clearWidgets()
    drawn()
    shot("look_dock")
    layers = QgsProject.instance().mapLayersByName(DATA.get("layer", "Answers"))
    FACTS["found"] = len(layers)
    if layers:
        from rsvlm_geo_qgis.report import make_report

        group = [
            node.layer()
            for node in QgsProject.instance()
            .layerTreeRoot()
            .findLayer(layers[0].id())
            .parent()
            .findLayers()
        ]
        layout = make_report(QgsProject.instance(), group, DATA.get("total", ""), iface.mapCanvas())
        settings = QgsLayoutExporter.ImageExportSettings()
        settings.dpi = 130
        QgsLayoutExporter(layout).exportToImage(DATA["artefacts"] + "/look_report.png", settings)
        context = QgsExpressionContext(
            QgsExpressionContextUtils.globalProjectLayerScopes(layers[0])
        )
        context.setFeature(next(layers[0].getFeatures()))
        FACTS["tip"] = QgsExpression.replaceExpressionText(layers[0].mapTipTemplate(), context)[:90]

    def in_options() -> None:
        dialog = QApplication.activeModalWidget()
        pages = [w for w in QApplication.allWidgets() if w.objectName() == "rsvlmGeoOptions"]
        if dialog is None or not pages:
            QTimer.singleShot(500, in_options)
            return
        try:
            dialog.resize(1100, 860)
            pages[0].test_button.click()
            until(pages[0].test_button.isEnabled, "the test", 30)
            wait(0.3)
            shot("look_options", dialog)
            FACTS["report"] = pages[0].report.toPlainText()
        finally:
            dialog.reject()

    QTimer.singleShot(500, in_options)
    dock._open_options()


hands.begin(scenario)
