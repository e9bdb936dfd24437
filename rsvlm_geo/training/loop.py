"""A training loop that plans by the clock: cosine over minutes, EMA, checkpoints, resume.

A step that took very long (the machine slept, the process was paused) counts as ``PAUSE_S``.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

PAUSE_S = 10.0

StepFn = Callable[[float], dict[str, Tensor]]
"""Progress in [0, 1] -> named losses; ``loss`` is the one that is minimised."""


class Ema:
    """A slow copy of the weights: what is evaluated and exported."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay, self.steps = decay, 0
        self.state = {k: v.detach().clone() for k, v in model.state_dict().items()}

    def update(self, model: nn.Module) -> None:
        """Move towards the model, fast at first."""
        self.steps += 1
        d = min(self.decay, (1 + self.steps) / (20 + self.steps))
        with torch.no_grad():
            for k, v in model.state_dict().items():
                self.state[k].lerp_(v, 1 - d) if v.is_floating_point() else self.state[k].copy_(v)


def run(
    model: nn.Module,
    groups: list[tuple[list[nn.Parameter], float]],
    step: StepFn,
    folder: Path,
    *,
    minutes: float,
    weight_decay: float = 0.02,
    warmup_steps: int = 200,
    ema_decay: float = 0.9985,
    save_every_s: float = 150.0,
    max_steps: int | None = None,
) -> None:
    """Train until ``minutes`` of wall-clock time are used; pauses are not counted.

    Args:
        model: Changed in place; the EMA weights are in ``folder/last.pt`` under ``ema``.
        groups: Parameters with their peak learning rate.
        step: Called with the progress; draws its own batch and returns the losses.
        folder: Gets ``last.pt`` and ``curve.jsonl``; resumes when they are there.
        minutes: The whole budget, over all resumes.
        weight_decay: Of AdamW, on matrices and kernels only.
        warmup_steps: Linear from zero.
        ema_decay: Of the slow copy.
        save_every_s: Seconds between checkpoints.
        max_steps: Stop early, for tests.
    """
    folder.mkdir(parents=True, exist_ok=True)
    params = []
    for ps, lr in groups:
        params.append({"params": [p for p in ps if p.ndim > 1], "lr": lr, "peak": lr})
        params.append(
            {"params": [p for p in ps if p.ndim <= 1], "lr": lr, "peak": lr, "weight_decay": 0.0}
        )
    opt = torch.optim.AdamW(params, weight_decay=weight_decay, betas=(0.9, 0.99))
    ema, used, n = Ema(model, ema_decay), 0.0, 0
    last = folder / "last.pt"
    if last.exists():
        ck = torch.load(last, weights_only=False)
        model.load_state_dict(ck["model"])
        opt.load_state_dict(ck["opt"])
        ema.state, ema.steps, used, n = ck["ema"], ck["n"], ck["used_s"], ck["n"]
    saved = since = before = time.monotonic()
    sums: dict[str, float] = {}
    count = 0

    def save() -> None:
        part = folder / "last.part"
        state = {"model": model.state_dict(), "opt": opt.state_dict(), "ema": ema.state}
        torch.save({**state, "n": n, "used_s": used}, part)
        part.replace(last)

    while max_steps is None or n < max_steps:
        now = time.monotonic()
        used, before = used + min(now - before, PAUSE_S), now
        progress = used / (60.0 * minutes)
        if progress >= 1.0:
            break
        factor = min(1.0, (n + 1) / warmup_steps) * (
            0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * progress))
        )
        for group in opt.param_groups:
            group["lr"] = group["peak"] * factor
        losses = step(progress)
        opt.zero_grad(set_to_none=True)
        losses["loss"].backward()  # type: ignore[no-untyped-call]
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        if bool(torch.isfinite(norm)):
            opt.step()
            ema.update(model)
        n, count = n + 1, count + 1
        for k, v in losses.items():
            sums[k] = sums.get(k, 0.0) + float(v.detach())
        if count == 50:
            row = {k: round(v / count, 4) for k, v in sums.items()}
            row |= {"n": n, "progress": round(progress, 4)}
            row["s_step"] = round((time.monotonic() - since) / 50, 3)
            with (folder / "curve.jsonl").open("a") as f:
                f.write(json.dumps(row) + "\n")
            sums, count, since = {}, 0, time.monotonic()
        if time.monotonic() - saved > save_every_s:
            save()
            saved = time.monotonic()
    save()
