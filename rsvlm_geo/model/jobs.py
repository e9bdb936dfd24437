"""What goes into the engine, and what comes out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from rsvlm_geo.model.lanes import Lanes
from rsvlm_geo.model.sampling import Sampling

__all__ = ["Finish", "Generation", "Job", "Prefix", "Token"]

Array = NDArray[Any]
Finish = Literal["stop", "stop_string", "length", "loop"]
"""Why a text ended: its stop token, a stop string, the limit, or because it went in circles."""


@dataclass(frozen=True, slots=True)
class Prefix:
    """Prefilled lanes, one for each image: what its questions share."""

    lanes: Lanes
    next_position: int
    """Position of the first token after it."""
    ids: tuple[int, ...] = ()
    """Its tokens, for rules that look back."""


@dataclass(frozen=True, slots=True)
class Job:
    """One prompt to continue."""

    prefix: Prefix
    row: int
    """Which lane of the prefix."""
    ids: tuple[int, ...]
    """Tokens after the prefix, at least one."""
    sampling: Sampling = field(default_factory=Sampling)
    embeds: Array | None = None
    """float[S, D] for ids that cannot be looked up (image tokens)."""
    positions: NDArray[np.int64] | None = None
    """int64[S] or int64[3, S], where they do not just count on."""
    types: NDArray[np.int64] | None = None
    """int64[S]; see :class:`~rsvlm_geo.model.lanes.Piece`."""
    said: tuple[int, ...] = ()
    """Tokens already generated, when a job goes on after an interruption."""


@dataclass(frozen=True, slots=True)
class Token:
    """One step of one text."""

    job: int
    """Place of its job among those given."""
    token: int
    text: str
    """What it adds to the text; may be empty until a character is whole."""
    finish: Finish | None = None
    """Why the text ends here."""
    whole: str | None = None
    """The finished text."""


@dataclass(frozen=True, slots=True)
class Generation:
    """A finished text."""

    text: str
    tokens: tuple[int, ...]
    finish: Finish
    score: float | None = None
    """Of the beam, its mean log-probability; None otherwise."""
