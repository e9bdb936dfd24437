"""Errors and warnings, one tree.

::

    RsvlmError
    ├── SceneError
    │   ├── SceneNotFoundError      (FileNotFoundError)  no such file, URL or asset
    │   ├── SceneUnreadableError    (OSError)  not a raster, truncated, corrupt
    │   ├── SceneContentError       (ValueError)  zero bands, complex, 1 x 1, all nodata
    │   ├── MissingCRSError         (ValueError)  asked for the map, has no CRS
    │   └── TileReadError           (OSError)  one window could not be read
    ├── GridError                   (ValueError)          tile, margin or area of interest is off
    │   └── WindowError             (ValueError)  a box or window leaves where it may be
    ├── AoiError                    (ValueError)          area of interest unreadable or outside
    ├── TaskError                   (ValueError)          unknown task, or a question it cannot take
    ├── AnswerError                 (ValueError)          a value that breaks an answer's invariant
    ├── ModelError
    │   ├── PackError               (ValueError)  missing file, wrong hash, unsafe path
    │   ├── UnknownModelError       (KeyError)  no pack by that name
    │   ├── ProviderError           (RuntimeError)  the provider asked for is not active
    │   ├── ExportError             (RuntimeError)  a checkpoint could not be exported
    │   └── EndpointError           (ConnectionError)  a remote model is silent, or answers nonsense
    ├── OutputError                 (OSError)             cannot write where asked
    ├── ResumeError                 (ValueError)          what is there belongs to another run
    ├── StacError                   (ValueError)          a search, item or asset cannot be used
    ├── DataError                   (ValueError)          labelled data that is not as published
    ├── Cancelled                                         the user stopped it; what was done is kept
    └── MissingDependencyError      (ImportError)         an extra is not installed

    RsvlmWarning (UserWarning)
    ├── RadiometryWarning                                 the stretch or the bands had to be guessed
    ├── GeorefWarning                                     positions are less exact than pixels
    ├── ModelWarning                                      the model is used outside what it knows
    └── CoverageWarning                                   a total that did not see everything

A message says what, which, got, and the next step.
"""

from __future__ import annotations

import importlib
from types import ModuleType

__all__ = [
    "AnswerError", "AoiError", "Cancelled", "CoverageWarning", "DataError", "EndpointError",
    "ExportError", "GeorefWarning", "GridError", "MissingCRSError", "MissingDependencyError",
    "ModelError", "ModelWarning", "OutputError", "PackError", "ProviderError",
    "RadiometryWarning", "ResumeError", "RsvlmError", "RsvlmWarning", "SceneContentError",
    "SceneError", "SceneNotFoundError", "SceneUnreadableError", "StacError", "TaskError",
    "TileReadError", "UnknownModelError", "WindowError", "require",
]  # fmt: skip


class RsvlmError(Exception):
    """Root of every error this library raises on purpose."""

    def __str__(self) -> str:
        # KeyError would show the message's repr
        return str(self.args[0]) if self.args else ""


class SceneError(RsvlmError):
    """A scene cannot be used."""


class SceneNotFoundError(SceneError, FileNotFoundError):
    """No such file, URL or asset."""


class SceneUnreadableError(SceneError, OSError):
    """It is there, but it is not a raster that can be read."""


class SceneContentError(SceneError, ValueError):
    """It is a raster, but has nothing a model could be shown."""


class MissingCRSError(SceneError, ValueError):
    """A map position was asked of a scene that has none."""


class TileReadError(SceneError, OSError):
    """One window could not be read, after retries."""


class GridError(RsvlmError, ValueError):
    """Tile size, margin, stride or GSD make no grid."""


class WindowError(GridError):
    """A box or window leaves the place it may be in."""


class AoiError(RsvlmError, ValueError):
    """An area of interest that cannot be read, or lies outside the scene."""


class TaskError(RsvlmError, ValueError):
    """An unknown task, or a question that it cannot take."""


class AnswerError(RsvlmError, ValueError):
    """A value that breaks an answer's invariant."""


class ModelError(RsvlmError):
    """A model cannot be used."""


class PackError(ModelError, ValueError):
    """A model pack is incomplete, altered or unsafe."""


class UnknownModelError(ModelError, KeyError):
    """No pack goes by that name."""


class ProviderError(ModelError, RuntimeError):
    """The execution provider that was asked for is not the one that runs."""


class ExportError(ModelError, RuntimeError):
    """A checkpoint could not be converted or exported."""


class EndpointError(ModelError, ConnectionError):
    """A remote model is unreachable, or answers nonsense."""


class OutputError(RsvlmError, OSError):
    """Results cannot be written where they were asked for."""


class ResumeError(RsvlmError, ValueError):
    """What lies in the output belongs to another run."""


class StacError(RsvlmError, ValueError):
    """A STAC search, item or asset cannot be used."""


class DataError(RsvlmError, ValueError):
    """Labelled data that is not laid out as published."""


class Cancelled(RsvlmError):
    """The user stopped the run; what was done is kept."""


class MissingDependencyError(RsvlmError, ImportError):
    """An optional dependency is not installed."""


class RsvlmWarning(UserWarning):
    """Root of every warning this library gives."""


class RadiometryWarning(RsvlmWarning):
    """The stretch, the fill value or the bands had to be guessed."""


class GeorefWarning(RsvlmWarning):
    """Positions on the map are less exact than the pixels."""


class ModelWarning(RsvlmWarning):
    """The model is used outside of what it knows."""


class CoverageWarning(RsvlmWarning):
    """A total that did not see the whole of the asked area."""


def require(module: str, *, extra: str) -> ModuleType:
    """Import an optional dependency, or say which pip line brings it.

    Args:
        module: Name to import, ``"onnxruntime"``.
        extra: The extra of this package that brings it, ``"cpu"``.

    Raises:
        MissingDependencyError: It is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        if error.name is not None and error.name.split(".")[0] != module.split(".")[0]:
            raise
        raise MissingDependencyError(
            f"{module} is not installed; run: pip install 'rsvlm-geo[{extra}]'"
        ) from error
