"""The tokenizer of ``rsvlm-mini``: words, one token a number, and tokens that mean something.

A word it has never met becomes ``<unk>``, which is itself a sign that the question is out of scope.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from rsvlm_geo.training import lexicon, phrases, questions

PAD, UNK, ANSWER, EOS, UNANS = "<pad>", "<unk>", "<answer>", "<eos>", "<unans>"
GSD_TOKENS = tuple(f"<gsd_{g:g}>" for g in lexicon.GSDS)
SPECIAL = (PAD, UNK, ANSWER, EOS, UNANS, *(f"<{r}>" for r in lexicon.REASONS), "<gsd_unknown>",
           *GSD_TOKENS)  # fmt: skip


def words_of(text: str) -> list[str]:
    """Split as the tokenizer does: words and runs of punctuation, lower case, no specials."""
    return re.findall(r"\w+|[^\w\s]+", re.sub(r"<\w+(?:\.\d+)?>|\{\w\}", " ", text.lower()))


def corpus() -> Iterable[str]:
    """Every template and word the pack can meet in training."""
    yield phrases.every_word()
    yield from (w for forms in lexicon.OBJECT_WORDS.values() for pair in forms for w in pair)
    for words in lexicon.LABEL_WORDS.values():
        yield from (f"{w} {w}s {w}es" for w in words)
    yield from lexicon.LABEL_SAID.values()
    yield from lexicon.UCM_SAID.values()
    yield from lexicon.EUROSAT_SAID.values()
    yield from lexicon.PLACES
    yield from lexicon.COLOURS
    yield from lexicon.NUMBER_WORDS
    yield from lexicon.PLACE_NOUNS
    yield "yes no urban rural color panchromatic image images aerial satellite"
    yield "a an of with one some many"
    yield "this view shows can be seen it is are visible no or"
    yield "about several at in the there is around it and , . ? open ground colour colours"
    yield from (t for t in questions.train_asks())
    yield from questions.train_nouns()


def build() -> Tokenizer:
    """The tokenizer, made from the templates alone: the same every time."""
    vocab = {t: i for i, t in enumerate(SPECIAL)}
    for n in range(100):
        vocab[str(n)] = len(vocab)
    for text in corpus():
        for word in words_of(text):
            vocab.setdefault(word, len(vocab))
    tokenizer = Tokenizer(models.WordLevel(vocab, unk_token=UNK))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.add_special_tokens(list(SPECIAL))
    return tokenizer
