"""Caption measures without Java: corpus BLEU, ROUGE-L, CIDEr-D, and invented objects.

Equal to pycocoevalcap 1.2 on the same tokens. The tokenizer stands in for its PTB tokenizer: it
splits clitics (``dock's`` -> ``dock 's``), keeps inner hyphens, drops punctuation.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rsvlm_geo.errors import DataError
from rsvlm_geo.metrics.measure import (
    Measure,
    bootstrap_measure,
    mean_measure,
    ratio_measure,
    same_length,
    share_measure,
)

__all__ = [
    "Vocabulary",
    "bleu",
    "caption_measures",
    "cider_d",
    "human_agreement",
    "invented_objects",
    "mentioned",
    "rouge_l",
    "tokenize",
]

_TOKEN = re.compile(
    r"[a-z]+(?=n't\b)|n't\b|'(?:s|re|ve|ll|d|m)\b"  # do n't, 's
    r"|\d+(?:[.,:/]\d+)*(?:[a-z%]+)?"  # 3.5, 1,024, 10m
    r"|[^\W_]+(?:[-./&][^\W_]+)*"  # words, tree-lined
    r"|[%$&@#+=]"
)
_SPLIT = {"cannot": ("can", "not"), "gonna": ("gon", "na"), "wanna": ("wan", "na")}


def tokenize(text: str) -> list[str]:
    """Lower-case tokens of a caption, punctuation dropped."""
    text = text.lower().replace("\u2019", "'")
    tokens: list[str] = []
    for token in _TOKEN.findall(text):
        tokens.extend(_SPLIT.get(token, (token,)))
    return tokens


Tokens = Sequence[str]
Grams = Counter[tuple[str, ...]]


def _grams(tokens: Tokens, n: int = 4) -> Grams:
    counts: Grams = Counter()
    for k in range(1, n + 1):
        counts.update(tuple(tokens[i : i + k]) for i in range(len(tokens) - k + 1))
    return counts


def _check(candidates: Sequence[Tokens], references: Sequence[Sequence[Tokens]]) -> int:
    n = same_length("captions", captions=candidates, references=references)
    for i, refs in enumerate(references):
        if not refs:
            raise DataError(f"caption {i} has no reference; give at least one each")
    return n


def bleu(
    candidates: Sequence[Tokens], references: Sequence[Sequence[Tokens]], *, seed: int = 0
) -> dict[str, Measure]:
    """Corpus BLEU-1..4, the closest reference length for the brevity penalty.

    Args:
        candidates: Tokens of each caption.
        references: Token lists of each image's references.

    Returns:
        ``bleu_1 .. bleu_4``, 0..1. Never the mean of sentence scores, which is higher.
    """
    n = _check(candidates, references)
    guess, correct = np.zeros((n, 4)), np.zeros((n, 4))
    length, closest = np.zeros(n), np.zeros(n)
    for i, (tokens, refs) in enumerate(zip(candidates, references, strict=True)):
        most: Grams = Counter()
        for ref in refs:
            most |= _grams(ref)
        length[i] = len(tokens)
        closest[i] = min((abs(len(r) - len(tokens)), len(r)) for r in refs)[1]
        guess[i] = [max(0, len(tokens) - k) for k in range(4)]
        for gram, count in _grams(tokens).items():
            correct[i, len(gram) - 1] += min(most[gram], count)
    tiny, small = 1e-15, 1e-9

    def score(pick: NDArray[np.intp], k: int) -> float:
        precision = (correct[pick].sum(0) + tiny) / (guess[pick].sum(0) + small)
        value = float(np.prod(precision[:k]) ** (1 / k))
        ratio = (length[pick].sum() + tiny) / (closest[pick].sum() + small)
        return value * math.exp(1 - 1 / ratio) if ratio < 1 else value

    def of_order(k: int) -> Measure:
        return bootstrap_measure(lambda pick: score(pick, k), n, seed=seed, draws=300)

    return {f"bleu_{k}": of_order(k) for k in range(1, 5)}


def _lcs(a: Tokens, b: Tokens) -> int:
    row = [0] * (len(b) + 1)
    for x in a:
        diagonal = 0
        for j, y in enumerate(b, 1):
            diagonal, row[j] = row[j], diagonal + 1 if x == y else max(row[j], row[j - 1])
    return row[-1]


def rouge_l(
    candidates: Sequence[Tokens], references: Sequence[Sequence[Tokens]], *, seed: int = 0
) -> Measure:
    """Mean ROUGE-L: best precision and best recall over the references, beta 1.2."""
    _check(candidates, references)
    beta2 = 1.2**2
    values = []
    for tokens, refs in zip(candidates, references, strict=True):
        shared = [_lcs(ref, tokens) for ref in refs]
        p = max(s / max(len(tokens), 1) for s in shared)
        r = max(s / max(len(ref), 1) for s, ref in zip(shared, refs, strict=True))
        values.append((1 + beta2) * p * r / (r + beta2 * p) if p and r else 0.0)
    return mean_measure(values, seed=seed)


def cider_d(
    candidates: Sequence[Tokens], references: Sequence[Sequence[Tokens]], *, seed: int = 0
) -> Measure:
    """CIDEr-D x 10 (so a perfect score is 10; papers print it x 100).

    Document frequencies come from the references given, so a score belongs to its test set; the
    interval resamples images and leaves the frequencies as they are. One image alone scores 0,
    because every n-gram is in every document.
    """
    n = _check(candidates, references)
    cooked = [[_grams(r) for r in refs] for refs in references]
    frequency: Counter[tuple[str, ...]] = Counter()
    for refs in cooked:
        frequency.update({gram for ref in refs for gram in ref})
    log_n = math.log(n) if n else 0.0

    def vector(grams: Grams) -> tuple[list[dict[tuple[str, ...], float]], list[float], int]:
        parts: list[dict[tuple[str, ...], float]] = [{}, {}, {}, {}]
        norms, length = [0.0] * 4, 0
        for gram, count in grams.items():
            weight = count * (log_n - math.log(max(1.0, frequency[gram])))
            k = len(gram) - 1
            parts[k][gram] = weight
            norms[k] += weight * weight
            if k == 1:
                length += count  # pycocoevalcap measures length in bigrams
        return parts, [math.sqrt(x) for x in norms], length

    values = []
    for tokens, refs in zip(candidates, cooked, strict=True):
        hyp, hyp_norm, hyp_length = vector(_grams(tokens))
        total = 0.0
        for ref in refs:
            vec, norm, length = vector(ref)
            penalty = math.exp(-((hyp_length - length) ** 2) / (2 * 6.0**2))
            for k in range(4):
                other = vec[k]
                dot = sum(min(w, other[g]) * other[g] for g, w in hyp[k].items() if g in other)
                if hyp_norm[k] and norm[k]:
                    dot /= hyp_norm[k] * norm[k]
                total += dot * penalty
        values.append(10.0 * total / 4 / len(refs))
    return mean_measure(values, seed=seed)


def caption_measures(
    captions: Sequence[str], references: Sequence[Sequence[str]], *, seed: int = 0
) -> dict[str, Measure]:
    """BLEU-1..4, ROUGE-L and CIDEr-D of plain captions; empty captions count and score 0."""
    candidates = [tokenize(c) for c in captions]
    refs = [[tokenize(r) for r in group] for group in references]
    out = bleu(candidates, refs, seed=seed)
    out["rouge_l"] = rouge_l(candidates, refs, seed=seed)
    out["cider_d"] = cider_d(candidates, refs, seed=seed)
    return out


def human_agreement(references: Sequence[Sequence[str]], *, seed: int = 0) -> dict[str, Measure]:
    """What a person scores: each image's first reference against its others."""
    kept = [refs for refs in references if len(refs) > 1]
    return caption_measures([r[0] for r in kept], [list(r[1:]) for r in kept], seed=seed)


class Vocabulary:
    """Words for classes, ready to be found in text: singular and plural, longest first."""

    def __init__(self, words: Mapping[str, Collection[str]]) -> None:
        self.names = frozenset(words)
        self.forms: dict[tuple[str, ...], str] = {}
        for name, more in words.items():
            for word in (name, *more):
                tokens = tuple(tokenize(word.replace("_", " ").replace("-", " ")))
                if tokens:
                    for last in _plurals(tokens[-1]):
                        self.forms.setdefault((*tokens[:-1], last), name)
        self.longest = max((len(f) for f in self.forms), default=0)

    def find(self, text: str) -> set[str]:
        """Classes a text claims to be there; see :func:`mentioned`."""
        found: set[str] = set()
        for clause in _CLAUSE.split(text):
            self._find(tokenize(clause.replace("_", " ").replace("-", " ")), found)
        return found

    def _find(self, tokens: Sequence[str], found: set[str]) -> None:
        i = 0
        while i < len(tokens):
            for length in range(min(self.longest, len(tokens) - i), 0, -1):
                name = self.forms.get(tuple(tokens[i : i + length]))
                if name is not None:
                    if not _denied(tokens[max(0, i - 3) : i]):
                        found.add(name)
                    i += length
                    break
            else:
                i += 1


_CLAUSE = re.compile(r"[.,;:!?](?=\s|$)|[()]|\bbut\b")
_NO = frozenset({"no", "without", "neither", "nor", "n't", "not", "free", "lack", "absence"})


def _denied(before: Sequence[str]) -> bool:
    return any(word in _NO for word in before)


def _plurals(word: str) -> tuple[str, ...]:
    if word.endswith("y") and word[-2:-1] not in tuple("aeiou"):
        return word, word[:-1] + "ies"
    return (word, word + "es") if word.endswith(("s", "x", "ch", "sh")) else (word, word + "s")


def mentioned(text: str, vocabulary: Mapping[str, Collection[str]] | Vocabulary) -> set[str]:
    """Objects a caption claims to be there: singular or plural, longest words first.

    ``no cars``, ``without any cars`` and ``free of cars`` claim nothing.

    Args:
        text: The caption.
        vocabulary: Class -> words for it (the class name itself is one of them).
    """
    words = vocabulary if isinstance(vocabulary, Vocabulary) else Vocabulary(vocabulary)
    return words.find(text)


def invented_objects(
    captions: Sequence[str],
    truths: Sequence[Collection[str]],
    vocabulary: Mapping[str, Collection[str]] | Vocabulary,
) -> dict[str, Measure]:
    """CHAIR: the share of object mentions, and of captions, that name what is not there.

    Args:
        captions: What was said.
        truths: Classes that are in each image.
        vocabulary: Class -> words for it; only these classes are judged.

    Returns:
        ``chair_i`` (mentions), ``chair_s`` (captions), ``recall`` (true classes that are named).
    """
    n = same_length("invented objects", captions=captions, truths=truths)
    false, said, hit, true = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
    words = vocabulary if isinstance(vocabulary, Vocabulary) else Vocabulary(vocabulary)
    invented: Counter[str] = Counter()
    for i, (text, truth) in enumerate(zip(captions, truths, strict=True)):
        names = words.find(text)
        wrong = names - set(truth)
        invented.update(wrong)
        known = set(truth) & words.names
        false[i], said[i] = len(wrong), len(names)
        hit[i], true[i] = len(names & known), len(known)
    return {
        "chair_i": ratio_measure(false, said, better="low", invented=dict(invented)),
        "chair_s": share_measure(false > 0, better="low"),
        "recall": ratio_measure(hit, true),
    }
