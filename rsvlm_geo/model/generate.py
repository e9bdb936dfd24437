"""Text from prompts: continuous batching over shared prefixes.

Prompts enter when there is room and leave at their stop, so that a batch is never held up by its
longest text. The result of a prompt does not depend on what else is in the batch: each has its own
source of chance, its own mask and its own positions.
"""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsvlm_geo.errors import ModelWarning
from rsvlm_geo.model.decoder import Decoder, OutOfMemory
from rsvlm_geo.model.jobs import Finish, Generation, Job, Prefix, Token
from rsvlm_geo.model.lanes import HOLE, SHARED, Embed, Lanes, Piece, stretches
from rsvlm_geo.model.sampling import choose_token, is_looping, process_logits

__all__ = ["Engine", "Generation", "Job", "Prefix", "Token"]

Array = NDArray[Any]
_STRETCH = 160
"""Tokens of a prefix that go through the decoder at once, on a processor."""


@dataclass(slots=True)
class _Row:
    """A text on its way."""

    index: int
    job: Job
    owner: int
    position: int
    said: list[int]
    rng: np.random.Generator
    text: str = ""
    """Said so far, in whole characters."""
    shown: int = 0
    """Characters of it already told."""
    window: tuple[int, int] = (0, 0)
    """Tokens that are decoded again with the next ones, and those that already count."""


@dataclass(slots=True)
class _Running:
    lanes: Lanes | None = None
    rows: list[list[_Row]] = field(default_factory=list)
    """By lane."""

    @property
    def count(self) -> int:
        return sum(len(lane) for lane in self.rows)


class Engine:
    """Runs jobs on a decoder."""

    def __init__(
        self,
        decoder: Decoder,
        embed: Embed,
        decode: Callable[[Sequence[int]], str],
        eos: Iterable[int],
        *,
        max_rows: int = 32,
        even: bool = False,
    ) -> None:
        """Bind a decoder to what is beside it.

        Args:
            decoder: The graph.
            embed: int64[B, S] ids and positions to float[B, S, D].
            decode: Ids to text, special tokens left out.
            eos: Tokens that end a text.
            max_rows: Texts at once, at most; halved when memory runs out.
            even: The graph cannot skip holes (GroupQueryAttention): only prompts of one length run
                together.
        """
        self.decoder = decoder
        self.embed = embed
        self.decode = decode
        self.eos = frozenset(eos)
        self.max_rows = max(1, max_rows)
        self.even = even

    def prefill(
        self,
        pieces: Sequence[Sequence[Piece]],
        *,
        after: Prefix | None = None,
        static: Mapping[str, Array] | None = None,
    ) -> Prefix:
        """Run what questions share, once.

        Args:
            pieces: For each image, its tokens, all of one length.
            after: A prefix of one lane that all of these continue (the system prompt).
            static: What the encoder gave, first axis images.

        Raises:
            OutOfMemory: It did not fit.
        """
        if after is None:
            lanes = Lanes.empty(self.decoder, self.embed, len(pieces), static)
        else:
            lanes = after.lanes.take(np.zeros(len(pieces), np.int64))
        if any(len(piece.ids) for piece in pieces[0]):
            # a card hides the work this saves, and pays for each call
            whole = self.even or self.decoder.ops is not None or bool(self.decoder.fixed)
            for part in [pieces] if whole else stretches(pieces, _STRETCH):
                lanes.extend(part, keep=1)
        first = pieces[0]
        ends = [int(p.positions.max()) + 1 for p in first if len(p.ids)]
        start = 0 if after is None else after.next_position
        before = () if after is None else after.ids
        ids = tuple(int(i) for piece in first for i in piece.ids)
        return Prefix(lanes, max([start, *ends]), before + ids)

    def run(self, jobs: Iterable[Job]) -> list[Generation]:
        """Finish all jobs; one text for each, in order."""
        said: dict[int, list[int]] = {}
        done: dict[int, Generation] = {}
        for token in self.stream(jobs):
            ids = said.setdefault(token.job, [])
            ids.append(token.token)
            if token.finish is not None:
                done[token.job] = Generation(token.whole or "", tuple(ids), token.finish)
        return [done[index] for index in sorted(done)]

    def stream(self, jobs: Iterable[Job]) -> Iterator[Token]:
        """Run jobs and tell each token as it is said.

        Jobs are drawn as there is room, so that an iterator may prefill images on demand.

        Raises:
            OutOfMemory: Not even one text fits.
        """
        source = enumerate(jobs)
        waiting: deque[tuple[int, Job]] = deque()
        running = _Running()
        while True:
            self._draw(source, waiting, self.max_rows - running.count - len(waiting))
            if waiting and self._has_room(running):
                yield from self._admit(waiting, running)
                continue
            if not running.rows:
                if not waiting:
                    return
                continue
            yield from self._step(running, waiting)

    def _has_room(self, running: _Running) -> bool:
        if self.even and running.rows:
            return False  # lengths differ by now: wait until the batch is through
        free = self.max_rows - running.count
        return free > 0 and (running.count == 0 or free >= max(1, self.max_rows // 4))

    def _draw(
        self, source: Iterator[tuple[int, Job]], waiting: deque[tuple[int, Job]], room: int
    ) -> None:
        for _ in range(room):
            item = next(source, None)
            if item is None:
                return
            waiting.append(item)

    def _admit(self, waiting: deque[tuple[int, Job]], running: _Running) -> Iterator[Token]:
        """Prefill the prompts of jobs that wait and let them join; their first tokens."""
        batch = self._next_batch(waiting, self.max_rows - running.count)
        rows = self._lay_out(batch)
        try:
            lanes = self._fork(rows)
            logits = lanes.extend([[self._piece(row) for row in lane] for lane in rows])
            joined = lanes if running.lanes is None else running.lanes.stack(lanes)
        except OutOfMemory as error:
            waiting.extendleft(reversed(batch))
            self._halve(len(batch) + running.count, error)
            return
        picked = []
        for place, lane in enumerate(rows):
            at = logits.shape[1]
            for row in reversed(lane):
                picked.append((row, logits[place, at - 1]))
                at -= len(row.job.ids) + len(row.job.said)
        running.lanes = joined
        running.rows.extend(rows)
        yield from self._say(running, picked)

    def _next_batch(self, waiting: deque[tuple[int, Job]], room: int) -> list[tuple[int, Job]]:
        if not self.even:
            return [waiting.popleft() for _ in range(min(room, len(waiting)))]
        width = _width(waiting[0][1])
        taken = [item for item in waiting if _width(item[1]) == width][:room]
        for item in taken:
            waiting.remove(item)
        return taken

    def _lay_out(self, batch: Sequence[tuple[int, Job]]) -> list[list[_Row]]:
        """Rows by lane: one lane for each image where branches may share it."""
        lanes: dict[tuple[int, int, int], list[_Row]] = {}
        for index, job in batch:
            alone = 0 if self.decoder.takes_bias and job.types is None else index + 1
            lane = lanes.setdefault((id(job.prefix), job.row, alone), [])
            start = job.prefix.next_position
            if job.positions is not None:
                start = int(job.positions.max()) + 1 - len(job.ids)
            lane.append(
                _Row(
                    index=index,
                    job=job,
                    owner=len(lane) + 1,
                    position=start + len(job.ids) + len(job.said),
                    said=list(job.said),
                    rng=np.random.default_rng([job.sampling.seed, index]),
                )
            )
            row = lane[-1]
            if row.said:
                row.text = self.decode(row.said)
                row.shown, row.window = len(row.text), (len(row.said) - 1, len(row.said))
            for _ in row.said if job.sampling.temperature else ():
                row.rng.random()
        return list(lanes.values())

    def _fork(self, rows: Sequence[Sequence[_Row]]) -> Lanes:
        """The prefixes of these lanes, side by side."""
        forked: Lanes | None = None
        for _, group in groupby((lane[0].job for lane in rows), key=lambda job: id(job.prefix)):
            jobs = list(group)
            part = jobs[0].prefix.lanes.take([job.row for job in jobs])
            forked = part if forked is None else forked.stack(part)
        assert forked is not None
        return forked

    def _piece(self, row: _Row) -> Piece:
        job = row.job
        ids = np.array([*job.ids, *job.said], np.int64)
        said = len(job.said)
        positions: NDArray[np.int64]
        if job.positions is None:
            positions = row.position - len(ids) + np.arange(len(ids))
        else:
            more = int(job.positions.max()) + 1 + np.arange(said)
            positions = np.concatenate(
                [job.positions, np.broadcast_to(more, (*job.positions.shape[:-1], said))], axis=-1
            )
        embeds = job.embeds
        if embeds is not None and said:
            fresh = self.embed(ids[None, len(job.ids) :], positions[None, ..., len(job.ids) :])
            embeds = np.concatenate([embeds, fresh[0]])
        types = job.types
        if types is not None and said:
            types = np.concatenate([types, np.ones(said, np.int64)])
        return Piece(row.owner, ids, positions, embeds, types)

    def _step(self, running: _Running, waiting: deque[tuple[int, Job]]) -> Iterator[Token]:
        """One more token for every text on its way."""
        assert running.lanes is not None
        width = max(len(lane) for lane in running.rows)
        shape = (len(running.rows), width)
        ids = np.zeros(shape, np.int64)
        owner = np.full(shape, HOLE, np.int32)
        positions = np.zeros(shape, np.int64)
        for place, lane in enumerate(running.rows):
            for column, row in enumerate(lane):
                ids[place, column] = row.said[-1]
                owner[place, column] = row.owner
                positions[place, column] = row.position
        try:
            logits = running.lanes.advance(ids, owner, positions)
        except OutOfMemory as error:
            self._halve(running.count, error)
            self._evict(running, waiting)
            return
        picked = []
        for place, lane in enumerate(running.rows):
            for column, row in enumerate(lane):
                row.position += 1
                picked.append((row, logits[place, column]))
        yield from self._say(running, picked)

    def _say(
        self, running: _Running, picked: Sequence[tuple[_Row, NDArray[np.float32]]]
    ) -> list[Token]:
        """Choose a token for each row, and let go of those that end."""
        tokens = [self._choose(row, logits) for row, logits in picked]
        ended = {id(row) for (row, _), token in zip(picked, tokens, strict=True) if token.finish}
        if ended:
            self._retire(running, ended)
        return tokens

    def _choose(self, row: _Row, logits: NDArray[np.float32]) -> Token:
        job, sampling = row.job, row.job.sampling
        if not sampling.plain:
            logits = process_logits(
                logits, (*job.prefix.ids, *job.ids), row.said, sampling, self.eos
            )
        chosen = choose_token(logits, sampling, row.rng)
        row.said.append(chosen)
        finish: Finish | None = None
        if chosen in self.eos:
            finish = "stop"
        else:
            self._grow_text(row)
            if any(string in row.text for string in sampling.stop):
                finish = "stop_string"
            elif len(row.said) >= sampling.max_new_tokens:
                finish = "length"
            elif sampling.stop_loops and is_looping(row.said):
                finish = "loop"
        if finish is not None:
            whole = self.decode(row.said[:-1] if finish == "stop" else row.said)
            cuts = [at for string in sampling.stop if (at := whole.find(string)) >= 0]
            whole = whole[: min(cuts)] if cuts else whole
            return Token(row.index, chosen, whole[row.shown :], finish, whole)
        settled = _settled(row.text, sampling.stop)
        fresh = settled[row.shown :]
        row.shown = max(row.shown, len(settled))
        return Token(row.index, chosen, fresh)

    def _grow_text(self, row: _Row) -> None:
        """Add the newest token's characters, once they are whole; costs a few tokens' decoding."""
        before, counted = row.window
        known = self.decode(row.said[before:counted]) if counted > before else ""
        text = self.decode(row.said[before:])
        if len(text) > len(known) and not text.endswith("\ufffd"):
            row.text += text[len(known) :]
            row.window = (counted, len(row.said))

    def _retire(self, running: _Running, ended: set[int]) -> None:
        assert running.lanes is not None
        gone = [
            (place, row.owner)
            for place, lane in enumerate(running.rows)
            for row in lane
            if id(row) in ended
        ]
        left = [[row for row in lane if id(row) not in ended] for lane in running.rows]
        kept = [place for place, lane in enumerate(left) if lane]
        running.rows = [left[place] for place in kept]
        if not kept:
            running.lanes = None
            return
        running.lanes.release(gone)
        if len(kept) < running.lanes.batch:
            running.lanes = running.lanes.take(kept)
        else:
            running.lanes.compact()

    def _evict(self, running: _Running, waiting: deque[tuple[int, Job]]) -> None:
        """Send the texts that no longer fit back to wait; they go on where they were."""
        keep = len(running.rows)
        while keep > 0 and sum(len(lane) for lane in running.rows[:keep]) > self.max_rows:
            keep -= 1
        back = [row for lane in running.rows[keep:] for row in lane]
        waiting.extendleft(
            (row.index, replace(row.job, said=tuple(row.said))) for row in reversed(back)
        )
        running.rows = running.rows[:keep]
        running.lanes = (
            running.lanes.take(range(keep)) if keep and running.lanes is not None else None
        )

    def _halve(self, rows: int, error: OutOfMemory) -> None:
        if rows <= 1 or self.max_rows <= 1:
            raise error
        self.max_rows = max(1, min(self.max_rows, rows) // 2)
        warnings.warn(
            f"out of memory with {rows} texts at once; going on with {self.max_rows}",
            ModelWarning,
            stacklevel=2,
        )


def _width(job: Job) -> tuple[int, int]:
    return job.prefix.lanes.length, len(job.ids) + len(job.said)


def _settled(text: str, stop: Sequence[str]) -> str:
    """The part of a growing text that will not be cut: no start of a stop string at its end."""
    for string in stop:
        for length in range(min(len(string) - 1, len(text)), 0, -1):
            if text.endswith(string[:length]):
                return text[:-length]
    return text


assert SHARED == 0  # owners of branches count from 1
