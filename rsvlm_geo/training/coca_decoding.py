"""Greedy and beam decoding of a CoCa, with nothing from transformers."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from rsvlm_geo.training.coca import CoCa

__all__ = ["beam_search", "pad_ids"]


@torch.no_grad()
def beam_search(
    model: CoCa, pixel_values: Tensor, *, begin: int, end: int, beams: int = 1,
    max_tokens: int | None = None, min_tokens: int = 1, length_penalty: float = 1.0,
) -> list[list[int]]:  # fmt: skip
    """Captions as token ids, without begin and end; one beam is greedy decoding.

    Args:
        model: Trained.
        pixel_values: float[B, 3, S, S].
        begin, end: Ids of the tokens that begin and end a text.
        beams: Texts kept at a time.
        max_tokens: Longest text; the model's context by default.
        min_tokens: The end is not taken before.
        length_penalty: Scores are divided by length to this power.
    """
    limit = min(max_tokens or model.config.context, model.config.context - 1)
    out = []
    for tokens in model.visual(pixel_values)[1]:
        alive: list[tuple[float, list[int]]] = [(0.0, [begin])]
        done: list[tuple[float, list[int]]] = []
        for step in range(limit):
            ids = torch.tensor([ids for _, ids in alive], device=tokens.device)
            logits = model.next_logits(tokens.expand(len(alive), -1, -1), ids)
            logits[:, 0] = -torch.inf
            if step < min_tokens:
                logits[:, end] = -torch.inf
            scores = torch.log_softmax(logits.double(), dim=1)
            best = scores.topk(min(2 * beams, scores.shape[1]), dim=1)
            grown = [
                (alive[i][0] + float(s), [*alive[i][1], int(t)])
                for i in range(len(alive))
                for s, t in zip(best.values[i], best.indices[i], strict=True)
            ]
            grown.sort(key=lambda g: (-g[0], g[1]))
            alive = []
            for total, text in grown:
                if text[-1] == end:
                    done.append((total / (len(text) - 1) ** length_penalty, text[1:-1]))
                elif len(alive) < beams:
                    alive.append((total, text))
                if len(alive) == beams:
                    break
            if len(done) >= beams and max(d[0] for d in done) >= alive[0][0] / (
                len(alive[0][1]) - 1
            ) ** length_penalty:  # fmt: skip
                break
        done += [(total / (len(t) - 1) ** length_penalty, t[1:]) for total, t in alive]
        out.append(max(done, key=lambda d: d[0])[1])
    return out


def pad_ids(rows: Sequence[Sequence[int]]) -> Tensor:
    """int64[n, T], 0 is padding."""
    out = torch.zeros(len(rows), max(len(r) for r in rows), dtype=torch.long)
    for i, row in enumerate(rows):
        out[i, : len(row)] = torch.tensor(row)
    return out
