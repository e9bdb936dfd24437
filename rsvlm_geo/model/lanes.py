"""Many prompts at once over one cache.

A *lane* is a row of the cache. In it lie a shared prefix (the image's tokens) and one or more
*branches* that continue the prefix and do not see each other. A graph that takes
``attention_bias`` holds all questions of a tile in one lane, so that the image's keys and values
are read once for all of them; any other graph gets a lane for each question, with the prefix
copied. Columns a lane does not use are *holes*, masked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsvlm_geo.model.decoder import Decoder, Step
from rsvlm_geo.model.kv import Cache

__all__ = ["HOLE", "SHARED", "Lanes", "Piece", "stretches"]

Array = NDArray[Any]
Embed = Callable[[NDArray[np.int64], NDArray[np.int64]], Array]
"""int64[B, S] ids and their positions to float[B, S, D]."""
HOLE = -1
SHARED = 0
_FORBID = np.float32(-1e9)


@dataclass(frozen=True, slots=True)
class Piece:
    """New tokens of one branch."""

    owner: int
    """Whose they are, from 1; :data:`SHARED` for tokens every branch of the lane sees."""
    ids: NDArray[np.int64]
    """int64[S]; zeros where ``embeds`` says more."""
    positions: NDArray[np.int64]
    """int64[S], or int64[3, S] for m-rope."""
    embeds: Array | None = None
    """float[S, D], instead of looking the ids up."""
    types: NDArray[np.int64] | None = None
    """int64[S], 0 where tokens see each other both ways; None: all 1."""
    parent: int = SHARED
    """A branch this one continues."""

    def part(self, start: int, end: int) -> Piece:
        """Some of its tokens."""
        return replace(
            self,
            ids=self.ids[start:end],
            positions=self.positions[..., start:end],
            embeds=None if self.embeds is None else self.embeds[start:end],
            types=None if self.types is None else self.types[start:end],
        )


def stretches(pieces: Sequence[Sequence[Piece]], most: int) -> Iterator[Sequence[Sequence[Piece]]]:
    """New tokens of all lanes in turns of at most so many.

    Scores of tokens that come later are never made then: in a long prefix that is up to half of
    all, and the part that a softmax is slowest at.

    Args:
        pieces: For each lane; one piece each, else they come whole, as do tokens that see each
            other both ways.
        most: Tokens of a turn.
    """
    if any(len(lane) != 1 or lane[0].types is not None for lane in pieces):
        yield pieces
        return
    length = max(len(lane[0].ids) for lane in pieces)
    turns = max(1, -(-length // most))
    cuts = [length * turn // turns for turn in range(turns + 1)]
    for start, end in pairwise(cuts):
        yield [[lane[0].part(start, end)] for lane in pieces]


@dataclass(slots=True)
class Lanes:
    """Lanes over one cache; grows in place."""

    decoder: Decoder
    embed: Embed
    cache: Cache
    owner: NDArray[np.int32]
    """int32[B, P]: whose each column is."""
    types: NDArray[np.int64] | None = None
    """int64[B, P], for graphs that take token types."""
    static: dict[str, Array] = field(default_factory=dict)
    """What the encoder gave; first axis B."""

    @classmethod
    def empty(
        cls, decoder: Decoder, embed: Embed, batch: int, static: Mapping[str, Array] | None = None
    ) -> Lanes:
        """Lanes that hold nothing yet."""
        types = np.ones((batch, 0), np.int64) if decoder.takes_types else None
        owner = np.zeros((batch, 0), np.int32)
        return cls(decoder, embed, decoder.empty(batch), owner, types, dict(static or {}))

    @property
    def batch(self) -> int:
        """Lanes."""
        return len(self.owner)

    @property
    def length(self) -> int:
        """Columns, holes included."""
        return int(self.owner.shape[1])

    def extend(self, pieces: Sequence[Sequence[Piece]], *, keep: int = 0) -> Array:
        """Run new tokens through the graph, lane by lane, padded on the left to one length.

        Args:
            pieces: For each lane, the new tokens of its branches.
            keep: Logits of only the last so many columns are wanted; 0 for all.

        Returns:
            float32[B, n, V] of the last n columns, n at least ``keep``; a lane's tokens end where
            the columns end.

        Raises:
            OutOfMemory: It did not fit; nothing has changed.
        """
        width = max(sum(len(p.ids) for p in lane) for lane in pieces)
        ids = np.zeros((self.batch, width), np.int64)
        owner = np.full((self.batch, width), HOLE, np.int32)
        axes = (3, self.batch, width) if self.decoder.mrope else (self.batch, width)
        positions = np.zeros(axes, np.int64)
        types = np.ones((self.batch, width), np.int64)
        embeds: list[tuple[int, slice, Array]] = []
        parents: dict[tuple[int, int], int] = {}
        for row, lane in enumerate(pieces):
            at = width - sum(len(p.ids) for p in lane)
            for piece in lane:
                span = slice(at, at + len(piece.ids))
                at = span.stop
                ids[row, span] = piece.ids
                owner[row, span] = piece.owner
                positions[..., row, span] = piece.positions
                if piece.types is not None:
                    types[row, span] = piece.types
                if piece.embeds is not None:
                    embeds.append((row, span, piece.embeds))
                if piece.parent != SHARED:
                    parents[row, piece.owner] = piece.parent
        return self._run(ids, owner, positions, types, embeds, parents, keep)

    def advance(
        self, ids: NDArray[np.int64], owner: NDArray[np.int32], positions: NDArray[np.int64]
    ) -> Array:
        """One more token for every branch: the step that generation repeats.

        Args:
            ids: int64[B, S], a column for each branch of a lane.
            owner: int32[B, S], whose; :data:`HOLE` where a lane has fewer branches.
            positions: int64[B, S].

        Returns:
            float32[B, S, V].

        Raises:
            OutOfMemory: It did not fit; nothing has changed.
        """
        if self.decoder.mrope:
            positions = np.broadcast_to(positions, (3, *positions.shape))
        types = np.ones(ids.shape, np.int64)
        return self._run(ids, owner, positions, types, [], {}, ids.shape[1])

    def _run(
        self,
        ids: NDArray[np.int64],
        owner: NDArray[np.int32],
        positions: NDArray[np.int64],
        types: NDArray[np.int64],
        embeds: Sequence[tuple[int, slice, Array]],
        parents: Mapping[tuple[int, int], int],
        keep: int,
    ) -> Array:
        everyone = np.concatenate([self.owner, owner], axis=1)
        all_types = None if self.types is None else np.concatenate([self.types, types], axis=1)
        step = Step(
            attention_mask=(everyone != HOLE).astype(np.int64),
            positions=positions,
            ids=ids,
            embeds=None if self.decoder.takes_ids else self._embeds(ids, positions, embeds),
            types=all_types,
            bias=self._bias(owner, everyone, parents) if self.decoder.takes_bias else None,
            static=self.static,
            keep=keep,
        )
        logits, cache, learnt = self.decoder(step, self.cache)
        self.cache, self.owner, self.types = cache, everyone, all_types
        self.static.update(learnt)
        return logits

    def _embeds(
        self,
        ids: NDArray[np.int64],
        positions: NDArray[np.int64],
        embeds: Sequence[tuple[int, slice, Array]],
    ) -> Array:
        dtype = self.decoder.embed_dtype
        if embeds and sum(span.stop - span.start for _, span, _ in embeds) == ids.size:
            filled = np.empty((*ids.shape, embeds[0][2].shape[-1]), dtype)
        else:
            filled = self.embed(ids, positions)
            if embeds:
                filled = filled.copy()
        for row, span, values in embeds:
            filled[row, span] = values
        return filled if filled.dtype == dtype else filled.astype(dtype)

    def _bias(
        self,
        owner: NDArray[np.int32],
        everyone: NDArray[np.int32],
        parents: Mapping[tuple[int, int], int],
    ) -> NDArray[np.float32] | None:
        branches = everyone.max(initial=SHARED)
        if branches == SHARED or (branches == 1 and not parents):
            return None
        sees = (everyone[:, None, :] == SHARED) | (everyone[:, None, :] == owner[:, :, None])
        for (row, child), parent in parents.items():
            mine = owner[row] == child
            sees[row, mine] |= everyone[row] == parent
        bias = np.where(sees, np.float32(0), _FORBID)
        return bias[:, None]

    def release(self, gone: Sequence[tuple[int, int]]) -> None:
        """Let go of branches ``(lane, owner)``; their columns become holes."""
        for row, owner in gone:
            self.owner[row][self.owner[row] == owner] = HOLE

    def take(self, rows: Sequence[int] | NDArray[np.int64]) -> Lanes:
        """Some lanes, repeated or reordered at will; columns nobody uses are left out."""
        index = np.asarray(rows, np.int64)
        owner = self.owner[index]
        used = (owner != HOLE).any(axis=0)
        columns = None if used.all() else np.flatnonzero(used)
        return Lanes(
            self.decoder,
            self.embed,
            self.cache.take(index, columns),
            owner if columns is None else owner[:, columns],
            _columns(None if self.types is None else self.types[index], columns),
            {name: value[index] for name, value in self.static.items()},
        )

    def compact(self) -> None:
        """Drop columns nobody uses, once they are worth a copy."""
        used = (self.owner != HOLE).any(axis=0)
        spare = self.length - int(used.sum())
        if spare >= max(64, self.length // 4):
            columns = np.flatnonzero(used)
            self.cache = self.cache.take(np.arange(self.batch), columns)
            self.owner = self.owner[:, columns]
            self.types = _columns(self.types, columns)

    def stack(self, other: Lanes) -> Lanes:
        """These lanes, then another's; the shorter is padded with holes on the left."""
        length = max(self.length, other.length)
        first, second = self._padded(length), other._padded(length)
        types = None
        if first.types is not None and second.types is not None:
            types = np.concatenate([first.types, second.types])
        return Lanes(
            self.decoder,
            self.embed,
            first.cache.stack(second.cache),
            np.concatenate([first.owner, second.owner]),
            types,
            _stack_static(first.static, second.static),
        )

    def _padded(self, length: int) -> Lanes:
        spare = length - self.length
        if spare == 0:
            return self
        columns = np.concatenate([np.full(spare, -1), np.arange(self.length)])
        owner = np.pad(self.owner, ((0, 0), (spare, 0)), constant_values=HOLE)
        types = None
        if self.types is not None:
            types = np.pad(self.types, ((0, 0), (spare, 0)), constant_values=1)
        cache = self.cache.take(np.arange(self.batch), columns)
        return Lanes(self.decoder, self.embed, cache, owner, types, self.static)


def _columns(
    values: NDArray[np.int64] | None, columns: NDArray[np.int64] | None
) -> NDArray[np.int64] | None:
    return values if values is None or columns is None else values[:, columns]


def _stack_static(first: Mapping[str, Array], second: Mapping[str, Array]) -> dict[str, Array]:
    """Encoder outputs of two groups; the shorter is padded with zeros at the end of its tokens."""
    stacked = {}
    for name, value in first.items():
        other = second[name]
        axis = 2 if value.ndim == 4 else 1
        if value.ndim > 1 and value.shape[axis] != other.shape[axis]:
            length = max(value.shape[axis], other.shape[axis])
            value, other = _pad_end(value, axis, length), _pad_end(other, axis, length)
        stacked[name] = np.concatenate([value, other])
    return stacked


def _pad_end(value: Array, axis: int, length: int) -> Array:
    widths = [(0, 0)] * value.ndim
    widths[axis] = (0, length - value.shape[axis])
    return np.pad(value, widths)
