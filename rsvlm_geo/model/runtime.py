"""A pack's graphs, loaded, and the way from images and words to jobs for the engine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsvlm_geo.errors import PackError
from rsvlm_geo.model.chat import IMAGE, pick_template
from rsvlm_geo.model.decoder import Decoder, OutOfMemory, encode_pixels, run_encoder
from rsvlm_geo.model.families import FAMILIES, expand_crops, mrope_positions
from rsvlm_geo.model.generate import Engine, Job, Prefix
from rsvlm_geo.model.kv import DeviceOps
from rsvlm_geo.model.lanes import SHARED, Lanes, Piece
from rsvlm_geo.model.memory import check_memory
from rsvlm_geo.model.pack import Pack, hash_file
from rsvlm_geo.model.preprocess import Prepared, make_preprocessor
from rsvlm_geo.model.sampling import Sampling
from rsvlm_geo.model.session import Session, SessionOptions, open_session
from rsvlm_geo.model.tokenizer import TextCodec

__all__ = ["Runtime"]

Array = NDArray[Any]
Images = NDArray[np.uint8]
_DECODERS = ("decoder_model_merged", "decoder_model", "decoder_with_past_model")
_IMAGES_AT_ONCE = 8


class Runtime:
    """One pack, loaded."""

    def __init__(
        self,
        pack: Pack,
        options: SessionOptions,
        *,
        variant: str | None = None,
        max_rows: int = 32,
        split: bool | None = None,
        keep_on_device: bool | None = None,
    ) -> None:
        self.pack = pack
        self.family = FAMILIES[pack.model_type]
        self.codec = TextCodec(pack)
        self.template = pick_template(pack)
        self.preprocess = make_preprocessor(pack.settings, split=split)
        self.image_size = int(pack.card.get("image_size") or pack.info.image_size)
        self._options = options
        self._variant = variant
        self._sessions: dict[str, Session] = {}
        first = "encoder_model" if not pack.has("vision_encoder") else "vision_encoder"
        parts = [first] + [p for p in ("embed_tokens", "encoder_model") if pack.has(p)]
        decoder = next((p for p in _DECODERS if pack.has(p)), _DECODERS[0])
        wanted = "cpu" if options.provider == "auto" else options.provider
        paths = {
            part: pack.graph(part, variant=variant, provider=wanted)
            for part in dict.fromkeys([*parts, decoder])
        }
        check_memory(pack.folder, [pack.header(path) for path in paths.values()])
        for part, path in paths.items():
            self._sessions[part] = open_session(
                path, options.provider, options.threads, device_id=options.device_id,
                memory_limit_mb=options.memory_limit_mb, spinning=options.spinning,
            )  # fmt: skip
        self.vision = self._sessions[first]
        self.encoder = self._sessions.get("encoder_model")
        self.embedding = self._sessions.get("embed_tokens")
        self.text = session = self._sessions[decoder]
        self.provider = session.provider
        device = keep_on_device if keep_on_device is not None else session.provider != "cpu"
        ops = DeviceOps(session.provider, options.device_id) if device else None
        self.decoder = Decoder(session, ops=ops)
        if not self.decoder.takes_ids and self.embedding is None:
            raise PackError(f"{pack.folder} has no onnx/embed_tokens.onnx; import the pack again")
        operators = pack.header(paths[decoder]).operators
        self.engine = Engine(
            self.decoder,
            self.embed,
            self._decode,
            self.codec.eos,
            max_rows=max_rows,
            even="com.microsoft::GroupQueryAttention" in operators,
        )
        self._image_id = None if self.family.image_token is None else self._find_image_token(pack)
        self._check_vocabulary(pack)
        self._images_at_once = _IMAGES_AT_ONCE
        self._leads: dict[tuple[int, ...], Prefix] = {}
        self._static_start = self._decoder_start(pack)
        self.vision_seconds = 0.0

    @property
    def providers(self) -> dict[str, str]:
        """Graph -> active provider."""
        return {part: session.provider for part, session in self._sessions.items()}

    def fingerprint(self) -> str:
        """sha256 over everything that decides an answer, for packs without a card."""
        digest = hashlib.sha256()
        files = [p for p in self.pack.files() if p.suffix in (".json", ".jinja")]
        for session in self._sessions.values():
            files.append(session.path)
            files += [session.path.parent / n for n in self.pack.header(session.path).external]
        for path in files:
            name = path.relative_to(self.pack.folder).as_posix()
            digest.update(f"{hash_file(path)}  {name}\n".encode())
        return digest.hexdigest()

    def sampling(self, max_new_tokens: int = 128) -> Sampling:
        """Greedy, with the rules the model's own generation settings ask for."""
        said = self.pack.settings.get("generation_config", {})
        config = self.pack.config.get("text_config") or self.pack.config
        forced = said.get("forced_bos_token_id", config.get("forced_bos_token_id"))
        return Sampling(
            max_new_tokens=max_new_tokens,
            repetition_penalty=float(said.get("repetition_penalty") or 1.0),
            no_repeat_ngram=int(
                said.get("no_repeat_ngram_size") or config.get("no_repeat_ngram_size") or 0
            ),
            forced_first=forced if isinstance(forced, int) else None,
            suppress=tuple(said.get("suppress_tokens") or ()),
        )

    def embed(self, ids: NDArray[np.int64], positions: NDArray[np.int64]) -> Array:
        """int64[B, S] ids to float[B, S, D]."""
        assert self.embedding is not None
        feeds: dict[str, Array] = {"input_ids": ids}
        if self.embedding.takes("position_ids"):
            feeds["position_ids"] = np.ascontiguousarray(positions)
        result: Array = self.embedding.run(feeds)[0]
        return result

    def _decode(self, ids: Sequence[int]) -> str:
        if self.family.model_type != "florence2":
            return self.codec.decode(ids)
        # its places are special tokens too: keep them, and drop the frame by hand
        text = self.codec.decode(ids, special=True)
        for frame in ("<s>", "</s>", "<pad>"):
            text = text.replace(frame, "")
        return text

    def iter_jobs(
        self, images: Images, prompts: Sequence[str], rules: Sequence[Sampling]
    ) -> Iterator[tuple[list[int], list[Job]]]:
        """Jobs for every prompt about every image, a few images at a time.

        Yields:
            The images' numbers, and for each image in turn one job per prompt.
        """
        at = 0
        while at < len(images):
            numbers = list(range(at, min(at + self._images_at_once, len(images))))
            try:
                prepared = self.preprocess(images[numbers[0] : numbers[-1] + 1])
                jobs = self._make_jobs(prepared, len(numbers), prompts, rules)
            except (OutOfMemory, MemoryError) as error:
                if len(numbers) == 1:
                    raise OutOfMemory(
                        f"out of memory on {self.provider} with one image; take a smaller variant"
                    ) from error
                self._images_at_once = max(1, len(numbers) // 2)
                continue
            at = numbers[-1] + 1
            yield numbers, jobs

    def _make_jobs(
        self, prepared: Prepared, count: int, prompts: Sequence[str], rules: Sequence[Sampling]
    ) -> list[Job]:
        if self.family.model_type == "florence2":
            return self._florence_jobs(prepared, count, prompts, rules)
        if self.encoder is not None and self.vision is self.encoder:
            return self._captioner_jobs(prepared, count, prompts, rules)
        features = self.encode_images(prepared, count)
        if self.family.model_type == "git":
            return self._git_jobs(features, prompts, rules)
        rows = [self._prompt_ids(prompt, prepared, features.shape[1]) for prompt in prompts]
        if self.family.both_ways:
            return self._unshared_jobs(features, rows, rules)
        return self._shared_jobs(features, rows, rules, prepared)

    def encode_images(self, prepared: Prepared, count: int) -> Array:
        """Image tokens, float[B, N, D], crops of an image one after the other."""
        if prepared.pixel_values.ndim == 4 and prepared.image_grid_thw is None:
            features = encode_pixels(self.vision, prepared.pixel_values)
            return features.reshape(count, -1, features.shape[-1])
        feeds: dict[str, Array] = {"pixel_values": prepared.pixel_values}
        if prepared.pixel_attention_mask is not None:
            feeds["pixel_attention_mask"] = prepared.pixel_attention_mask
        if prepared.image_grid_thw is not None:
            feeds["image_grid_thw"] = prepared.image_grid_thw
        features = run_encoder(self.vision, feeds)[0]
        return features.reshape(count, -1, features.shape[-1])

    def _prompt_ids(self, prompt: str, prepared: Prepared, tokens: int) -> NDArray[np.int64]:
        """The whole prompt with its image tokens in place."""
        text = self.template(prompt)
        token = self.family.image_token or IMAGE
        if prepared.pixel_attention_mask is not None:
            crops = prepared.pixel_values.shape[1]
            block = expand_crops(prepared, tokens // crops)
        else:
            block = token * tokens
        if self.pack.card.get("tokenise") == "chunks":
            return self._chunked(text, tokens)
        ids = self.codec.encode(text.replace(IMAGE, block, 1))
        found = sum(1 for i in ids if i == self._image_id)
        if found != tokens:
            raise PackError(
                f"{self.codec.path} makes {found} image tokens of {tokens}; "
                "the tokenizer belongs to another model, import the pack again"
            )
        return np.array(ids, np.int64)

    def _chunked(self, text: str, tokens: int) -> NDArray[np.int64]:
        """LLaVA's own way: what is before and after the image is tokenised by itself.

        A sentencepiece tokenizer then starts the second chunk with a space piece of its own, which
        tokenising in one go may drop; VHM was trained with it.
        """
        before, after = text.split(IMAGE, 1)
        assert self._image_id is not None
        head = self.codec.encode(before)
        tail = self.codec.encode(after)
        if self.codec.bos is not None and tail[:1] == [self.codec.bos]:
            tail = tail[1:]
        return np.array([*head, *[self._image_id] * tokens, *tail], np.int64)

    def _shared_jobs(
        self,
        features: Array,
        rows: Sequence[NDArray[np.int64]],
        rules: Sequence[Sampling],
        prepared: Prepared,
    ) -> list[Job]:
        """Prefill up to the image's end once; each prompt goes on from there."""
        ends = {int(np.flatnonzero(ids == self._image_id)[-1]) + 1 for ids in rows}
        shared = min(ends)
        if len(ends) > 1 or any((ids[:shared] != rows[0][:shared]).any() for ids in rows):
            raise PackError(f"{self.pack.folder}: prompts differ before the image; cannot share it")
        ids = rows[0][:shared]
        positions = self._positions(ids, prepared)
        start = int(np.flatnonzero(ids == self._image_id)[0])
        lead = self._lead(ids[:start], positions[..., :start])
        rest, where = ids[start:], positions[..., start:]
        is_image = rest == self._image_id
        base = None
        if not is_image.all():
            words = np.where(is_image, 0, rest)  # the image's id may have no embedding
            base = self.embed(words[None], where[..., None, :])[0]
        pieces = []
        for image in features:
            embeds = image
            if base is not None:
                embeds = base.copy()
                embeds[is_image] = image
            pieces.append([Piece(SHARED, rest, where, embeds)])
        prefix = self.engine.prefill(pieces, after=lead)
        return [
            Job(prefix, place, tuple(row[shared:].tolist()), rule)
            for place in range(len(features))
            for row, rule in zip(rows, rules, strict=True)
        ]

    def _lead(self, ids: NDArray[np.int64], positions: NDArray[np.int64]) -> Prefix | None:
        """What comes before the image, the same for every tile: prefilled once."""
        if not len(ids):
            return None
        key = tuple(ids.tolist())
        if key not in self._leads:
            self._leads.clear()
            self._leads[key] = self.engine.prefill([[Piece(SHARED, ids, positions)]])
        return self._leads[key]

    def _positions(self, ids: NDArray[np.int64], prepared: Prepared) -> NDArray[np.int64]:
        if self.decoder.mrope and prepared.image_grid_thw is not None:
            assert self._image_id is not None
            merge = self.preprocess.merge
            return mrope_positions(ids, self._image_id, prepared.image_grid_thw[:1], merge)
        return np.arange(len(ids)) + self.family.first_position

    def _unshared_jobs(
        self, features: Array, rows: Sequence[NDArray[np.int64]], rules: Sequence[Sampling]
    ) -> list[Job]:
        """Models in which the image sees the question: nothing can be shared."""
        nothing = Prefix(Lanes.empty(self.decoder, self.embed, 1), self.family.first_position)
        jobs = []
        for image in features:
            for ids, rule in zip(rows, rules, strict=True):
                positions = np.arange(len(ids)) + self.family.first_position
                is_image = ids == self._image_id
                embeds = self.embed(np.where(is_image, 0, ids)[None], positions[None])[0].copy()
                embeds[is_image] = image
                types = np.zeros(len(ids), np.int64)
                jobs.append(Job(nothing, 0, tuple(ids.tolist()), rule, embeds, positions, types))
        return jobs

    def _git_jobs(
        self, features: Array, prompts: Sequence[str], rules: Sequence[Sampling]
    ) -> list[Job]:
        """GIT: image tokens see each other, text counts its positions from 0."""
        count = features.shape[1]
        zeros = np.zeros(count, np.int64)
        pieces = [[Piece(SHARED, zeros, zeros, image, zeros)] for image in features]
        made = self.engine.prefill(pieces)
        prefix = Prefix(made.lanes, 0)
        starts = [self._text_start(self.template(prompt)) for prompt in prompts]
        return [
            Job(prefix, place, ids, rule)
            for place in range(len(features))
            for ids, rule in zip(starts, rules, strict=True)
        ]

    def _captioner_jobs(
        self, prepared: Prepared, count: int, prompts: Sequence[str], rules: Sequence[Sampling]
    ) -> list[Job]:
        """BLIP and encoder-decoder captioners: cross attention made once for each image."""
        static = self._encoded({"pixel_values": prepared.pixel_values})
        prefix = Prefix(Lanes.empty(self.decoder, self.embed, count, static), 0)
        starts = [self._text_start(self.template(prompt)) for prompt in prompts]
        return [
            Job(prefix, place, ids, rule)
            for place in range(count)
            for ids, rule in zip(starts, rules, strict=True)
        ]

    def _florence_jobs(
        self, prepared: Prepared, count: int, prompts: Sequence[str], rules: Sequence[Sampling]
    ) -> list[Job]:
        """Florence-2: image and question go through the encoder together."""
        features = self.encode_images(prepared, count)
        rows = [np.array(self.codec.encode(self.template(p)), np.int64) for p in prompts]
        text = [self.embed(ids[None], np.arange(len(ids))[None])[0] for ids in rows]
        width = features.shape[1] + max(len(ids) for ids in rows)
        shape = (count * len(rows), width)
        embeds = np.zeros((*shape, features.shape[2]), features.dtype)
        mask = np.zeros(shape, np.int64)
        for place, image in enumerate(features):
            for number, words in enumerate(text):
                row = place * len(rows) + number
                both = np.concatenate([image, words])
                embeds[row, : len(both)] = both
                mask[row, : len(both)] = 1
        static = self._encoded({"inputs_embeds": embeds, "attention_mask": mask})
        static["encoder_attention_mask"] = mask
        prefix = Prefix(Lanes.empty(self.decoder, self.embed, shape[0], static), 0)
        return [
            Job(prefix, row, (self._static_start,), rules[row % len(rows)])
            for row in range(shape[0])
        ]

    def _encoded(self, feeds: dict[str, Array]) -> dict[str, Array]:
        """What the encoder gives the decoder, under the decoder's names."""
        assert self.encoder is not None
        outputs = dict(zip(self.encoder.outputs, run_encoder(self.encoder, feeds), strict=True))
        if "last_hidden_state" in outputs:
            outputs["encoder_hidden_states"] = outputs.pop("last_hidden_state")
        return outputs

    def _text_start(self, prompt: str) -> tuple[int, ...]:
        """A captioner's first tokens: the start token, then the prompt without its end."""
        words = self.codec.encode(prompt, special=False) if prompt else []
        return (self._static_start, *words)

    def _decoder_start(self, pack: Pack) -> int:
        text = pack.config.get("text_config") or pack.config.get("decoder") or {}
        for where in (pack.settings.get("generation_config", {}), pack.config, text):
            for name in ("decoder_start_token_id", "bos_token_id"):
                said = where.get(name)
                if isinstance(said, int):
                    return said
        return 0

    def _find_image_token(self, pack: Pack) -> int:
        for name in ("image_token_id", "image_token_index"):
            said = pack.config.get(name)
            if isinstance(said, int):
                return said
        return self.codec.need(self.family.image_token or IMAGE)

    def _check_vocabulary(self, pack: Pack) -> None:
        if self.embedding is None:
            return
        tables = [
            shape
            for shape in pack.header(self.embedding.path).initializers.values()
            if len(shape) == 2
        ]
        if tables:
            rows = max(shape[0] for shape in tables)
            self.codec.check_embeddings(rows, self.embedding.path)
