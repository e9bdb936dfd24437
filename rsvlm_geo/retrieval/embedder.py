"""Images and words as vectors of one space: CLIP packs, and search heads on another pack's encoder.

A CLIP pack holds ``onnx/vision_model.onnx`` (``pixel_values`` -> ``image_embeds``) and
``onnx/text_model.onnx`` (``input_ids`` -> ``text_embeds``), as published ones do. A search pack
holds ``onnx/image_head.onnx`` (``features`` -> ``image_embeds``) and ``onnx/text_model.onnx``, and
names the pack whose encoder gives the features.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from rsvlm_geo.errors import ModelWarning, PackError, TaskError
from rsvlm_geo.vlm import ModelInfo

__all__ = ["ClipEmbedder", "Embedder", "HeadEmbedder", "load_embedder", "unit"]

DEFAULT_SEARCH = "rsvlm-mini-search"
"""The search pack that comes with the package."""


def unit(vectors: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Rows scaled to length 1: float32[n, D]."""
    array = np.asarray(vectors, dtype=np.float32)
    out: NDArray[np.float32] = array / np.maximum(
        np.linalg.norm(array, axis=-1, keepdims=True), 1e-12
    )
    return out


@runtime_checkable
class Embedder(Protocol):
    """Anything that puts images and words into one space."""

    @property
    def info(self) -> ModelInfo:
        """Image size and scale rules."""
        ...

    def embed_images(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8[B, S, S, 3] RGB -> float32[B, D], unit length."""
        ...

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Words -> float32[n, D], unit length."""
        ...


class _Words:
    """Tokenizer and text graph of a pack."""

    def __init__(self, pack: Any, provider: str, threads: int | None) -> None:
        from tokenizers import Tokenizer

        from rsvlm_geo.model.session import open_session

        path = pack.folder / "tokenizer.json"
        pack.check_file(path)
        self.tokenizer = Tokenizer.from_file(str(path))
        self.session = open_session(pack.graph("text_model"), provider, threads)
        config: Mapping[str, Any] = pack.config
        text = config.get("text_config") or {}
        self.length = int(text.get("max_position_embeddings", 77))
        self.pad = int(text.get("pad_token_id", 0) or 0)
        self.eos = text.get("eos_token_id")
        unk = config.get("unk_token")
        self.unk = self.tokenizer.token_to_id(unk) if unk else None
        self.lower = bool(config.get("lower_case", True))

    def ids(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """int64[n, T], padded on the right; too long a text keeps its end token."""
        if not texts or any(not t.strip() for t in texts):
            raise TaskError("a search needs words; got an empty text")
        rows = []
        for text in texts:
            said = text.lower() if self.lower else text
            ids = list(self.tokenizer.encode(said).ids)
            if self.unk is not None:
                self._unknown(said, ids)
            if len(ids) > self.length:
                last = ids[-1] if self.eos is not None else ids[self.length - 1]
                ids = [*ids[: self.length - 1], last]
            rows.append(ids)
        longest = max(len(r) for r in rows)
        out = np.full((len(rows), longest), self.pad, dtype=np.int64)
        for i, ids in enumerate(rows):
            out[i, : len(ids)] = ids
        return out

    def _unknown(self, text: str, ids: Sequence[int]) -> None:
        if self.unk not in ids:
            return
        words = re.findall(r"[\w'-]+", text)
        strange = [w for w in words if self.unk in self.tokenizer.encode(w).ids]
        if len(strange) == len(words):
            raise TaskError(
                f"this model knows none of the words in {text!r}; it was trained on descriptions "
                "of scenes, such as 'airplanes', 'a river' or 'dense residential area'"
            )
        warnings.warn(
            f"this model does not know {', '.join(map(repr, strange))}; the rest of {text!r} is "
            "searched for",
            ModelWarning,
            stacklevel=5,
        )

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Not normalised: float32[n, D]."""
        ids = self.ids(texts)
        feeds: dict[str, Any] = {"input_ids": ids}
        if "attention_mask" in self.session.inputs:
            lengths = (ids != self.pad).cumsum(1).max(1, keepdims=True)
            feeds["attention_mask"] = (np.arange(ids.shape[1])[None] < lengths).astype(np.int64)
        out: NDArray[np.float32] = np.asarray(
            self.session.run(feeds, ["text_embeds"])[0], dtype=np.float32
        )
        return out


class _Speaks:
    """The side of the words, which all packs that search have in common."""

    pack: Any
    _words: _Words

    @property
    def logit_scale(self) -> float:
        """Inverse temperature of similarities, as trained; CLIP's own is 100."""
        return float(self.pack.config.get("logit_scale", 100.0))

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Words -> float32[n, D], unit length."""
        return unit(self._words(texts))

    def embed_texts_raw(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Words -> float32[n, D] with their lengths, as some published averages want them."""
        return self._words(texts)


class ClipEmbedder(_Speaks):
    """A CLIP pack.

    Args:
        pack: A loaded pack of ``model_type`` ``clip``.
        provider: Execution provider.
        threads: CPU threads; None is all.
    """

    def __init__(self, pack: Any, provider: str = "auto", threads: int | None = None) -> None:
        from rsvlm_geo.model.session import open_session

        self.pack = pack
        self.vision = open_session(pack.graph("vision_model"), provider, threads)
        self._words = _Words(pack, provider, threads)
        settings = pack.settings.get("preprocessor_config", {})
        self._mean = np.asarray(
            settings.get("image_mean", (0.48145466, 0.4578275, 0.40821073)), np.float32
        )
        self._std = np.asarray(
            settings.get("image_std", (0.26862954, 0.26130258, 0.27577711)), np.float32
        )
        side = int((pack.config.get("vision_config") or {}).get("image_size", 224))
        info: ModelInfo = pack.info
        self._info = replace(info, image_size=side, provider=self.vision.provider)

    @property
    def info(self) -> ModelInfo:
        """Image size and scale rules."""
        return self._info

    def embed_images(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8[B, S, S, 3] RGB -> float32[B, D], unit length."""
        pixels = (images.astype(np.float32) / 255.0 - self._mean) / self._std
        feeds = {"pixel_values": np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))}
        return unit(self.vision.run(feeds, ["image_embeds"])[0])


class HeadEmbedder(_Speaks):
    """A search pack: a small head on another pack's encoder, and a text encoder to match.

    Args:
        pack: A loaded pack of ``model_type`` ``rsvlm_search``.
        provider: Execution provider.
        threads: CPU threads; None is all.
        base: The model whose ``encode`` gives the features; by default the pack it names.
    """

    def __init__(
        self, pack: Any, provider: str = "auto", threads: int | None = None, base: Any = None
    ) -> None:
        from rsvlm_geo.model.session import open_session

        self.pack = pack
        self.head = open_session(pack.graph("image_head"), "cpu", threads)
        self._words = _Words(pack, "cpu", threads)
        self._names = tuple(pack.config["base_outputs"])
        if base is None:
            from rsvlm_geo.model import load_model

            base = load_model(str(pack.config["base"]), provider=provider, threads=threads)
        self._base = base
        wanted = pack.config.get("base_sha256")
        if wanted and getattr(base, "pack", None) is not None:
            self._check_base(str(wanted), base.pack)
        info: ModelInfo = replace(base.info, name=pack.info.name, sha256=pack.info.sha256)
        self._info = info

    def _check_base(self, wanted: str, pack: Any) -> None:
        from rsvlm_geo.model.pack import hash_file

        got = hash_file(pack.folder / "onnx" / "vision_encoder.onnx")
        if got != wanted:
            raise PackError(
                f"{self.pack.folder} was trained on another encoder than that of {pack.folder}; "
                "train it again with: python -m rsvlm_geo.training.contrastive"
            )

    @property
    def info(self) -> ModelInfo:
        """Image size and scale rules of the base."""
        return self._info

    def embed_images(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8[B, S, S, 3] RGB -> float32[B, D], unit length."""
        outputs = self._base.encode(images).outputs
        features = np.concatenate([outputs[n] for n in self._names], axis=1).astype(np.float32)
        return unit(self.head.run({"features": features}, ["image_embeds"])[0])


def load_embedder(
    name_or_path: str | Path | None = None, provider: str = "auto", threads: int | None = None
) -> Embedder:
    """Open a pack that can search.

    Args:
        name_or_path: Pack or folder; the search pack that comes with the package by default.
        provider: Execution provider.
        threads: CPU threads; None is all.

    Raises:
        PackError: The pack has no text encoder, or is of an architecture nobody here runs.
    """
    from rsvlm_geo.model.pack import load_pack
    from rsvlm_geo.model.registry import find_pack

    pack = load_pack(find_pack(name_or_path or DEFAULT_SEARCH))
    if pack.model_type == "rsvlm_mini":
        pack = load_pack(find_pack(DEFAULT_SEARCH))
    if pack.model_type == "rsvlm_search":
        return HeadEmbedder(pack, provider, threads)
    if pack.has("text_model") and pack.has("vision_model"):
        return ClipEmbedder(pack, provider, threads)
    raise PackError(
        f"{pack.folder} cannot search: it has no text encoder; take a CLIP pack, or "
        f"{DEFAULT_SEARCH}"
    )
