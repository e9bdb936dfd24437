"""Text to tokens and back, checked against the embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rsvlm_geo.errors import PackError, require
from rsvlm_geo.model.pack import Pack

__all__ = ["TextCodec"]


class TextCodec:
    """A pack's tokenizer."""

    def __init__(self, pack: Pack) -> None:
        """Read ``tokenizer.json``.

        Raises:
            PackError: It is missing or unreadable.
        """
        path = pack.folder / "tokenizer.json"
        if not path.is_file():
            raise PackError(
                f"{pack.folder} has no tokenizer.json; save it with transformers' fast tokenizer, "
                "or export the model again"
            )
        pack.check_file(path)
        tokenizers: Any = require("tokenizers", extra="cpu")
        try:
            self._tokenizer = tokenizers.Tokenizer.from_file(str(path))
        except Exception as error:  # its own exceptions are bare Exception
            raise PackError(
                f"{path} is not a tokenizer ({error}); import the pack again"
            ) from error
        self.path = path
        self.settings = pack.settings.get("tokenizer_config", {})
        config = pack.config
        generation = pack.settings.get("generation_config", {})
        self.bos = self._special("bos_token")
        self.pad = self._special("pad_token")
        self.eos = self._stops(generation, config)

    def encode(self, text: str, *, special: bool = True) -> list[int]:
        """Token ids of a text.

        Args:
            text: May hold special tokens, which are recognised.
            special: Whether to add what the tokenizer adds around a text (BOS); never twice.
        """
        bos = self.token(self.bos)
        if special and bos is not None and text.startswith(bos):
            special = False
        ids: list[int] = self._tokenizer.encode(text, add_special_tokens=special).ids
        return ids

    def decode(self, ids: Sequence[int], *, special: bool = False) -> str:
        """Text of token ids; special tokens left out unless asked for."""
        text: str = self._tokenizer.decode(list(ids), skip_special_tokens=not special)
        return text

    def find(self, token: str) -> int | None:
        """The id of a token, or None."""
        found: int | None = self._tokenizer.token_to_id(token)
        return found

    def need(self, token: str) -> int:
        """The id of a token the model cannot do without.

        Raises:
            PackError: The tokenizer does not have it.
        """
        found = self.find(token)
        if found is None:
            raise PackError(
                f"{self.path} has no token {token!r}, which this model needs; "
                "the tokenizer belongs to another model, import the pack again"
            )
        return found

    def token(self, ident: int | None) -> str | None:
        """The token of an id."""
        found: str | None = None if ident is None else self._tokenizer.id_to_token(ident)
        return found

    def continuation(self, prompt: str, text: str) -> list[int]:
        """Tokens of a text as it would follow a prompt.

        The prompt's end and the text are encoded together, so that the text gets the spaces it
        would have in a sentence; where their border falls inside a token, it is encoded alone.
        """
        tail = prompt[-24:]
        before = self.encode(tail, special=False)
        both = self.encode(tail + text, special=False)
        if both[: len(before)] == before:
            return both[len(before) :]
        return self.encode(text, special=False)

    def check_embeddings(self, rows: int, graph: Path) -> None:
        """Compare the vocabulary with the rows of the embedding table.

        Raises:
            PackError: A token has no row.
        """
        highest = max(self._tokenizer.get_vocab(with_added_tokens=True).values(), default=-1)
        if highest >= rows:
            raise PackError(
                f"{self.path} has token {highest}, but {graph} embeds only {rows}; "
                "the tokenizer belongs to another model, import the pack again"
            )

    def _special(self, name: str) -> int | None:
        said = self.settings.get(name)
        if isinstance(said, dict):
            said = said.get("content")
        return self.find(said) if isinstance(said, str) else None

    def _stops(self, generation: Any, config: Any) -> frozenset[int]:
        """Every token that ends a text: the generation's, the model's and the tokenizer's."""
        text_config = config.get("text_config") or config.get("decoder") or {}
        for where in (generation, config, text_config):
            said = where.get("eos_token_id")
            if isinstance(said, int):
                return frozenset({said})
            if isinstance(said, list) and said:
                return frozenset(int(i) for i in said)
        own = self._special("eos_token")
        return frozenset() if own is None else frozenset({own})
