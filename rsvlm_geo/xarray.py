"""``DataArray.rsvlm``: ask an array that knows where it lies.

``import rsvlm_geo.xarray`` registers the accessor; then ``da.rsvlm.count("car")``. The array needs
a CRS and a transform, as ``rioxarray`` and ``odc.stac`` give them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rsvlm_geo.errors import require

if TYPE_CHECKING:
    from rsvlm_geo.pipeline import Result
    from rsvlm_geo.scene import Scene

__all__ = ["RsvlmAccessor"]

_xarray: Any = require("xarray", extra="xarray")


@_xarray.register_dataarray_accessor("rsvlm")
class RsvlmAccessor:
    """The verbs on a ``DataArray`` with dimensions ``(band, y, x)`` or ``(y, x)``."""

    def __init__(self, array: Any) -> None:
        self._array = array

    def scene(self, **options: Any) -> Scene:
        """The array as a scene; options as :func:`rsvlm_geo.open_scene`."""
        from rsvlm_geo.scene import open_scene

        return open_scene(self._array, **options)

    def describe(self, objects: Sequence[str] | None = None, **options: Any) -> Result:
        """As :func:`rsvlm_geo.describe`."""
        from rsvlm_geo.pipeline import describe

        return describe(self._array, objects, **options)

    def caption(self, **options: Any) -> Result:
        """As :func:`rsvlm_geo.caption`."""
        from rsvlm_geo.pipeline import caption

        return caption(self._array, **options)

    def classify(self, **options: Any) -> Result:
        """As :func:`rsvlm_geo.classify`."""
        from rsvlm_geo.pipeline import classify

        return classify(self._array, **options)

    def count(self, target: str | Sequence[str], **options: Any) -> Result:
        """As :func:`rsvlm_geo.count`."""
        from rsvlm_geo.pipeline import count

        return count(self._array, target, **options)

    def locate(self, target: str | Sequence[str], **options: Any) -> Result:
        """As :func:`rsvlm_geo.locate`."""
        from rsvlm_geo.pipeline import locate

        return locate(self._array, target, **options)

    def presence(self, target: str | Sequence[str], **options: Any) -> Result:
        """As :func:`rsvlm_geo.presence`."""
        from rsvlm_geo.pipeline import presence

        return presence(self._array, target, **options)

    def ask(self, question: str, candidates: Sequence[str] | None = None, **options: Any) -> Result:
        """As :func:`rsvlm_geo.ask`."""
        from rsvlm_geo.pipeline import ask

        return ask(self._array, question, candidates, **options)
