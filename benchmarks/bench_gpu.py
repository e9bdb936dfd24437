"""A 7B decoder on a card: how much of the memory's bandwidth decoding reaches.

    python benchmarks/bench_gpu.py [--provider cuda] [--layers 32] [--hidden 4096] [--dtype float16]

Decoding one token reads every weight and the whole cache once, so bytes over seconds is what it
achieves of the card's bandwidth, which a large copy measures in the same run. Weights are random;
the shape is Vicuna 7B's. The cache stays on the device (IOBinding). Without the provider asked for
the script says so and records nothing. ``--provider cpu --layers 2 --hidden 256`` tries the path.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from harness import Row, record

VOCABULARY = 32000


def write_decoder(folder: Path, args: argparse.Namespace) -> Path:
    """Export a Llama of the asked shape."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from rsvlm_geo.export.decoder import decoder_part
    from rsvlm_geo.export.graph import export_part

    heads = args.hidden // 128 if args.hidden >= 128 else 2
    config = LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=args.hidden, intermediate_size=args.hidden * 43 // 16,
        num_hidden_layers=args.layers, num_attention_heads=heads, num_key_value_heads=heads,
    )  # fmt: skip
    torch.set_default_dtype(getattr(torch, args.dtype))
    model = LlamaForCausalLM(config).eval()
    torch.set_default_dtype(torch.float32)
    part = decoder_part(model.model, model.lm_head)
    return export_part(part, folder / "decoder_model_merged.onnx")


def tokens_per_second(decoder: Any, batch: int, args: argparse.Namespace) -> float:
    """Steps of one token for each row, after a prompt, the cache left on the device."""
    from rsvlm_geo.model.decoder import Step

    rng = np.random.default_rng(0)
    cache: Any = decoder.empty(batch)
    seconds = []
    for step in range(args.steps + 4):
        new = args.prompt if step == 0 else 1
        length = cache.length + new
        fed = Step(
            attention_mask=np.ones((batch, length), np.int64),
            positions=np.broadcast_to(np.arange(length - new, length), (batch, new)).copy(),
            embeds=rng.normal(size=(batch, new, args.hidden)).astype(decoder.embed_dtype),
            keep=1,
        )
        began = time.perf_counter()
        logits, cache, _ = decoder(fed, cache)
        assert np.isfinite(logits[:, -1]).all()
        if step >= 4:  # the first calls plan memory and pick kernels
            seconds.append(time.perf_counter() - began)
    return batch / float(np.median(seconds))


def copy_bandwidth(provider: str) -> float:
    """Bytes read and written per second by a large copy on the device."""
    import torch

    device = "cuda" if provider != "cpu" and torch.cuda.is_available() else "cpu"
    one = torch.zeros(256 << 20 if device == "cuda" else 64 << 20, dtype=torch.float32)
    one = one.to(device)
    other = torch.empty_like(one)
    best = 0.0
    for _ in range(5):
        began = time.perf_counter()
        other.copy_(one)
        if device == "cuda":
            torch.cuda.synchronize()
        best = max(best, 2 * one.numel() * 4 / (time.perf_counter() - began))
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--provider", default="cuda")
    parser.add_argument("--layers", type=int, default=32)
    parser.add_argument("--hidden", type=int, default=4096)
    parser.add_argument("--dtype", default="float16", choices=["float16", "float32"])
    parser.add_argument("--prompt", type=int, default=640)
    parser.add_argument("--steps", type=int, default=32)
    args = parser.parse_args()
    from rsvlm_geo.errors import ProviderError
    from rsvlm_geo.model import providers
    from rsvlm_geo.model.decoder import Decoder
    from rsvlm_geo.model.kv import DeviceOps
    from rsvlm_geo.model.onnxfile import read_graph_file
    from rsvlm_geo.model.session import open_session

    ort = providers.import_onnxruntime()
    if args.provider not in providers.available(ort):
        print(f"{args.provider} is not in this onnxruntime; nothing measured, nothing recorded")
        return
    rows = []
    with tempfile.TemporaryDirectory() as held:
        path = write_decoder(Path(held), args)
        weights = read_graph_file(path).weight_bytes
        try:
            session = open_session(path, args.provider)
        except ProviderError as error:
            print(f"nothing measured, nothing recorded: {error}")
            return
        decoder = Decoder(session, ops=DeviceOps(session.provider))
        bandwidth = copy_bandwidth(args.provider)
        for batch in (1, 32):
            rate = tokens_per_second(decoder, batch, args)
            cache = decoder.kv_bytes_per_token * (args.prompt + args.steps // 2) * batch
            share = (weights + cache) * (rate / batch) / bandwidth
            what = f"decoding, {weights / 1e9:.1f} GB of weights, batch {batch}"
            rows.append(Row(what, rate, "tokens/s", args.steps))
            bar = (">= 60", share >= 0.6) if batch == 1 else (None, None)
            rows.append(Row(f"{what}, of the bandwidth", share * 100, "%", args.steps,
                            compared_with="a copy on the device, same run", bar=bar[0],
                            met=bar[1]))  # fmt: skip
    if args.provider == "cpu":
        for row in rows:
            print(f"{row.what}: {row.value:.3g} {row.unit}")
        return
    record("gpu", rows, f"{args.provider}, {args.dtype}, prompt of {args.prompt} tokens")


if __name__ == "__main__":
    main()
