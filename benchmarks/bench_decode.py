"""Decoding against transformers: many questions about a tile, many tiles, and where time goes.

    python benchmarks/bench_decode.py [--rounds 2] [--tiles 64] [--threads 1]

A LLaVA of 39 M parameters with random weights (CLIP ViT-S/14 at 336 px, 576 image tokens, six
layers of 384), exported by this package. Every engine must say the same tokens before anything is
timed. Ratios are of CPU time in one run, engines taken in turn, one thread each: wall time depends
on who else is on the machine. Peak memory is that of a fresh process for each engine; that of
transformers is given its tokens and pixels, and loads nothing of ours.

What fp32 can reach at most stands beside it: the time of the same matrix products by themselves.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from harness import Row, interleave, ratio_row, record
from llava import MEDIUM, build, write_pack

QUESTIONS = (
    "what is in the image ?",
    "how many ships are there in the image now ?",
    "is there a plane in the image ? just answer yes or no .",
    "where is the large vehicle in relation to the small vehicle ?",
    "what kind of scene is this ?",
    "what is the actual color of the plane in the image ?",
    "please describe the image",
    "what land cover types are visible in this image ?",
)
NEW_TOKENS = 16


def open_ours(folder: Path, threads: int, variant: str, *, shared: bool = True) -> Any:
    """Our runtime on a pack; ``shared=False`` copies the image's cache for each question."""
    from rsvlm_geo.model.generic import GenericVlm
    from rsvlm_geo.model.pack import load_pack

    vlm = GenericVlm(
        load_pack(folder), provider="cpu", threads=threads, spinning=False,
        variant=None if variant == "int8" else variant,
    )  # fmt: skip
    vlm.runtime.engine.eos = frozenset()
    if not shared:
        vlm.runtime.decoder.session.optional.pop("attention_bias")
    return vlm


def ours(vlm: Any, images: np.ndarray, questions: tuple[str, ...]) -> list[list[tuple[int, ...]]]:
    from rsvlm_geo.model.sampling import Sampling

    rule = Sampling(max_new_tokens=NEW_TOKENS, stop_loops=False)
    return [[said.tokens for said in row] for row in vlm.generate(images, questions, rule)]


class Theirs:
    """transformers on the same tokens and pixels."""

    def __init__(self, model: Any, vlm: Any) -> None:
        self.model, self.vlm = model, vlm

    def rows(self, images: np.ndarray, questions: tuple[str, ...], batch: int) -> list[list[int]]:
        """Every question about every image, so many at once, padded on the left."""
        said: list[list[int]] = []
        for part in fed(self.vlm, images, questions, batch):
            said += generate(self.model, part)
        return said


def fed(
    vlm: Any, images: np.ndarray, questions: tuple[str, ...], batch: int
) -> Iterator[dict[str, np.ndarray]]:
    """Pixels, tokens and masks as transformers takes them, so many rows at once."""
    runtime = vlm.runtime
    pairs = [(image, question) for image in images for question in questions]
    for at in range(0, len(pairs), batch):
        part = pairs[at : at + batch]
        prepared = runtime.preprocess([image for image, _ in part])
        ids = [runtime._prompt_ids(question, prepared, MEDIUM.tokens) for _, question in part]
        width = max(len(row) for row in ids)
        padded = np.zeros((len(ids), width), np.int64)
        mask = np.zeros_like(padded)
        for row, one in enumerate(ids):
            padded[row, width - len(one) :] = one
            mask[row, width - len(one) :] = 1
        yield {
            "pixel_values": prepared.pixel_values, "input_ids": padded, "attention_mask": mask
        }  # fmt: skip


def generate(model: Any, part: dict[str, np.ndarray]) -> list[list[int]]:
    """What transformers says, the prompt left out."""
    import torch

    with torch.no_grad():
        out = model.generate(
            **{name: torch.from_numpy(value) for name, value in part.items()},
            max_new_tokens=NEW_TOKENS, min_new_tokens=NEW_TOKENS, do_sample=False,
        )  # fmt: skip
    said: list[list[int]] = out[:, part["input_ids"].shape[1] :].tolist()
    return said


def agreement(one: list[list[int]], other: list[list[tuple[int, ...]]]) -> float:
    flat = [token for row in other for said in row for token in said]
    return float(np.mean(np.array([t for row in one for t in row]) == np.array(flat)))


def overhead(vlm: Any, images: np.ndarray) -> float:
    """Share of the wall time that is not inside ONNX Runtime."""
    from rsvlm_geo.model.session import Session

    inside = 0.0
    original = Session.run

    def timed(self: Session, *args: Any, **more: Any) -> Any:
        nonlocal inside
        began = time.perf_counter()
        try:
            return original(self, *args, **more)
        finally:
            inside += time.perf_counter() - began

    Session.run = timed  # type: ignore[method-assign]
    before = vlm.runtime.decoder.seconds
    began = time.perf_counter()
    prepared = vlm.runtime.preprocess(images)
    outside = time.perf_counter() - began  # pixels are not the loop's
    del prepared
    try:
        began = time.perf_counter()
        ours(vlm, images, QUESTIONS)
        whole = time.perf_counter() - began
    finally:
        Session.run = original  # type: ignore[method-assign]
    inside += vlm.runtime.decoder.seconds - before
    return max(0.0, (whole - outside - inside) / inside)


def peak(folder: Path, engine: str, tiles: int, questions: int) -> float:
    """Peak memory in MB of one engine in a fresh process."""
    command = [sys.executable, __file__, "--alone", engine, "--pack", str(folder)]
    command += ["--tiles", str(tiles), "--questions", str(questions)]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return float(out.split()[-1])


def alone(engine: str, folder: Path, tiles: int, asked: tuple[str, ...]) -> None:
    if engine == "transformers":
        import torch

        torch.set_num_threads(1)
        with np.load(folder / "fed.npz") as held:
            generate(build(MEDIUM), dict(held))
    else:
        vlm = open_ours(folder, 1, engine)
        vlm.runtime.engine.max_rows = 16  # as many rows at once as transformers is given
        ours(vlm, pictures(tiles), asked)
    # VmHWM and not ru_maxrss, which a child inherits from whoever started it
    lines = Path("/proc/self/status").read_text().splitlines()
    print(next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024)


def memory(folder: Path, plain: Any) -> list[Row]:
    """Peak memory of each engine at the two kinds of work that are timed."""
    rows = []
    for tiles, asked in ((1, QUESTIONS), (16, QUESTIONS[1:2])):
        (part,) = fed(plain, pictures(tiles), asked, 16)
        np.savez(folder / "fed.npz", **part)  # type: ignore[arg-type]
        plural = "s" if tiles > 1 else ""
        what = f"{tiles} tile{plural} x {len(asked)} question{'' if tiles > 1 else 's'}"
        theirs = 0.0
        for engine in ("transformers", "fp32", "int8"):
            value = peak(folder, engine, tiles, len(asked))
            theirs = theirs or value
            words = None if engine == "transformers" else f"transformers {theirs:.0f} MB"
            rows.append(Row(f"peak memory, {what}, {engine}", value, "MB", 1, None, None, words))
    return rows


def ceiling() -> float:
    """CPU seconds that the matrix products of one tile take by themselves, in fp32."""
    rows, width, mlp, heads = MEDIUM.tokens + 1, MEDIUM.hidden, MEDIUM.mlp, MEDIUM.heads
    shapes = [(rows, width, width)] * 4 + [(rows, width, 4 * width), (rows, 4 * width, width)]
    vision = shapes + [(rows, 64, rows), (rows, rows, 64)] * heads
    text = [(rows, width, width)] * 4 + [(rows, width, mlp)] * 2 + [(rows, mlp, width)]
    # half of what the mask leaves of the scores
    text += [(rows, 64, rows // 2), (rows, rows // 2, 64)] * heads
    import torch

    best = {}
    for m, k, n in set(vision + text):
        one, other = torch.randn(m, k), torch.randn(k, n)
        torch.mm(one, other)
        seen = []
        for _ in range(10):
            began = time.process_time()
            torch.mm(one, other)
            seen.append(time.process_time() - began)
        best[m, k, n] = min(seen)
    # the last layer of the vision tower is not read
    image = (MEDIUM.vision_layers - 1) * sum(best[s] for s in vision)
    return image + MEDIUM.text_layers * sum(best[s] for s in text)


def pictures(count: int) -> np.ndarray:
    shape = (count, MEDIUM.side, MEDIUM.side, 3)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--tiles", type=int, default=64)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--alone", choices=["transformers", "fp32", "int8"])
    parser.add_argument("--questions", type=int, default=8)
    parser.add_argument("--pack", type=Path, help="Exported before; made anew by default.")
    parser.add_argument("--no-memory", action="store_true", help="Leave out the peak memory.")
    args = parser.parse_args()
    if args.alone:
        asked = QUESTIONS if args.questions > 1 else QUESTIONS[1:2]
        alone(args.alone, args.pack, args.tiles, asked)
        return
    import torch

    torch.set_num_threads(args.threads)
    with tempfile.TemporaryDirectory() as held:
        folder = args.pack or Path(held) / "mid-llava"
        model = build(MEDIUM)
        if args.pack is None:
            write_pack(model, folder, QUESTIONS, int8=True)
        plain, quick = (open_ours(folder, args.threads, v) for v in ("fp32", "int8"))
        apart = open_ours(folder, args.threads, "fp32", shared=False)
        theirs = Theirs(model, plain)
        rows = one_tile(args, plain, quick, apart, theirs)
        rows += many_tiles(args, plain, quick, theirs) if args.tiles else []
        rows += encoder(args, plain, quick)
        shares = sorted(overhead(plain, pictures(1)) for _ in range(max(3, args.rounds)))
        rows.append(
            Row("loop over the bare session.run calls, 1 tile x 8 questions", shares[0] * 100, "%",
                len(shares), shares[0] * 100, shares[-1] * 100, "time inside ONNX Runtime",
                "<= 5", shares[0] <= 0.05)
        )  # fmt: skip
        if not args.no_memory:
            rows += memory(folder, plain)
    record(
        "decode",
        rows,
        "LLaVA of 39 M parameters, random weights, 576 image tokens, 16 new tokens per question, "
        f"{args.threads} thread(s); ratios of CPU time, fp32 unless it says int8.",
    )


def one_tile(args: Any, plain: Any, quick: Any, apart: Any, theirs: Theirs) -> list[Row]:
    image = pictures(1)
    wanted = theirs.rows(image, QUESTIONS, len(QUESTIONS))
    for vlm in (plain, apart):
        same = agreement(wanted, ours(vlm, image, QUESTIONS))
        if same < 1:
            raise SystemExit(f"tokens differ from transformers: {same:.1%} the same")
    seconds = interleave(
        {
            "each": lambda: theirs.rows(image, QUESTIONS, 1),
            "batch": lambda: theirs.rows(image, QUESTIONS, len(QUESTIONS)),
            "shared": lambda: ours(plain, image, QUESTIONS),
            "apart": lambda: ours(apart, image, QUESTIONS),
            "int8": lambda: ours(quick, image, QUESTIONS),
        },
        args.rounds,
        time.process_time,
    )
    each, batch = "transformers.generate, per question", "transformers.generate, one padded batch"
    what = "1 tile x 8 questions"
    return [
        ratio_row(f"{what}", seconds["each"], seconds["shared"], compared_with=each, bar=5),
        ratio_row(f"{what}", seconds["batch"], seconds["shared"], compared_with=batch, bar=3.5),
        ratio_row(f"{what}, int8", seconds["each"], seconds["int8"], compared_with=each, bar=5),
        ratio_row(f"{what}, a copy of the image's cache for each question", seconds["each"],
                  seconds["apart"], compared_with=each, bar=3),
    ]  # fmt: skip


def many_tiles(args: Any, plain: Any, quick: Any, theirs: Theirs) -> list[Row]:
    images = pictures(args.tiles)
    question = QUESTIONS[1:2]
    seconds = interleave(
        {
            "batch": lambda: theirs.rows(images, question, 16),
            "ours": lambda: ours(plain, images, question),
            "int8": lambda: ours(quick, images, question),
        },
        args.rounds,
        time.process_time,
    )
    what = f"{args.tiles} tiles x 1 question"
    batch = "transformers.generate, batches of 16"
    share = [ceiling() * args.tiles / taken for taken in seconds["ours"]]
    most = [theirs / (ceiling() * args.tiles) for theirs in seconds["batch"]]
    return [
        Row(
            f"{what}: fp32 matrix products by themselves",
            statistics.median(share),
            "x",
            len(share),
            min(share),
            max(share),
            "our time in fp32",
        ),
        Row(
            f"{what}: what fp32 could reach at most",
            statistics.median(most),
            "x",
            len(most),
            min(most),
            max(most),
            batch,
        ),
        ratio_row(f"{what}", seconds["batch"], seconds["ours"], compared_with=batch, bar=2),
        ratio_row(f"{what}, int8", seconds["batch"], seconds["int8"], compared_with=batch, bar=2),
    ]


def encoder(args: Any, plain: Any, quick: Any) -> list[Row]:
    prepared = plain.runtime.preprocess(pictures(8))
    one = plain.runtime.encode_images(prepared, 8).reshape(-1)
    other = quick.runtime.encode_images(prepared, 8).reshape(-1)
    cosine = float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))
    seconds = interleave(
        {
            "fp32": lambda: plain.runtime.encode_images(prepared, 8),
            "int8": lambda: quick.runtime.encode_images(prepared, 8),
        },
        args.rounds + 2,
        time.process_time,
    )
    return [
        ratio_row("encoder int8, batch of 8", seconds["fp32"], seconds["int8"],
                  compared_with="the same encoder in fp32", bar=1.5),
        Row("encoder int8, cosine to fp32", cosine, "", 1, bar=">= 0.999", met=cosine >= 0.999),
    ]  # fmt: skip


if __name__ == "__main__":
    main()
