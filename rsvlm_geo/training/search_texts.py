"""What a search is trained to understand: captions, other words for them, and short queries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsvlm_geo.captions.lexicon import noun, scene_words

__all__ = ["SYNONYMS", "encode_texts", "short_texts", "swap_words", "train_tokenizer"]


def train_tokenizer(texts: Sequence[str], vocab: int) -> Any:
    """Whole words of the captions, lower case; others are ``<unk>`` and a search says so."""
    from tokenizers import Tokenizer, normalizers, pre_tokenizers
    from tokenizers.models import WordLevel
    from tokenizers.trainers import WordLevelTrainer

    tokenizer = Tokenizer(WordLevel(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Whitespace(), pre_tokenizers.Digits(individual_digits=True)]
    )
    trainer = WordLevelTrainer(vocab_size=vocab, special_tokens=["<pad>", "<unk>"])
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def encode_texts(tokenizer: Any, texts: Sequence[str], length: int) -> NDArray[np.int64]:
    """int64[n, T], 0 is padding."""
    rows = [tokenizer.encode(t).ids[:length] for t in texts]
    out = np.zeros((len(rows), max(len(r) for r in rows)), dtype=np.int64)
    for i, row in enumerate(rows):
        out[i, : len(row)] = row
    return out


SYNONYMS = {
    "airplanes": ("planes", "aircraft", "jets"), "airplane": ("plane", "aircraft", "jet"),
    "cars": ("vehicles", "automobiles"), "car": ("vehicle", "automobile"),
    "storage tanks": ("tanks", "oil tanks", "fuel tanks"), "storage tank": ("tank", "oil tank"),
    "trees": ("tree crowns", "woods"), "boats": ("ships", "vessels"), "ships": ("boats", "vessels"),
    "farmland": ("fields", "cropland", "crops"), "buildings": ("houses", "built-up area"),
    "freeway": ("highway", "motorway"), "river": ("stream",), "docks": ("piers",),
    "harbor": ("port", "marina"), "residential area": ("houses", "neighborhood", "suburb"),
    "parking lot": ("car park",), "pavement": ("road", "roads", "asphalt"),
    "open water of a sea or lake": ("open water", "a lake", "the sea"),
    "a sea or lake": ("a lake", "the sea", "water"), "overhead": ("aerial", "satellite"),
}  # fmt: skip
"""Other words for what the captions say, swapped in at random so that people may use them."""


def swap_words(text: str, rng: np.random.Generator, chance: float = 0.3) -> str:
    """A caption in other words, now and then."""
    for word, others in SYNONYMS.items():
        if word in text and rng.random() < chance:
            text = text.replace(word, others[int(rng.integers(len(others)))])
    return text


def short_texts(facts: Sequence[str]) -> list[str]:
    """``three cars`` and the like from a record's facts: what people type into a search box.

    A scene also says what it holds: a river is ``water``, a forest ``trees``.
    """
    out = []
    for fact in facts:
        kind, _, phrase = fact.partition(": ")
        if kind.startswith("scene "):
            claims = scene_words(kind.removeprefix("scene "))[2]
            out += [noun(claim, 2) for claim in claims if claim != "person"]
        if phrase and kind.split(" ")[0] in ("scene", "count", "label"):
            out.append(phrase)
            words = phrase.split(" ", 1)
            if kind.startswith("count") and len(words) == 2:
                out.append(words[1])
    return list(dict.fromkeys(out))
