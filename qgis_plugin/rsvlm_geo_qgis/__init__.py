# SPDX-License-Identifier: GPL-2.0-or-later
"""Ask an image of the Earth a question, and get a map you can trust."""


def classFactory(iface):
    """The plugin; QGIS calls this. Nothing heavier is imported before."""
    from .plugin import RsvlmPlugin

    return RsvlmPlugin(iface)
