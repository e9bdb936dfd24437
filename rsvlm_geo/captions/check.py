"""Do the facts survive, and is anything invented: caption by caption, and over a set."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rsvlm_geo.captions.facts import Fact, kept
from rsvlm_geo.captions.lexicon import VOCABULARY
from rsvlm_geo.metrics.captions import Vocabulary, tokenize
from rsvlm_geo.metrics.measure import Measure, ratio_measure, share_measure

__all__ = ["Check", "FactReport", "check_caption", "split_sentences"]

_SENTENCE = re.compile(r"(?<=[.!?])\s+")


def split_sentences(text: str) -> list[list[str]]:
    """Tokens of each sentence; ``0.3 m`` does not end one."""
    return [tokenize(s) for s in _SENTENCE.split(text) if s.strip()]


@dataclass(frozen=True, slots=True)
class Check:
    """One caption against its image's facts."""

    facts: int
    """Facts there were to keep."""
    kept: int
    lost: tuple[str, ...]
    """Phrases of the facts that are not in the caption."""
    invented: tuple[str, ...]
    """Classes it names that the annotations do not hold."""


def check_caption(
    text: str,
    facts: Sequence[Fact],
    truth: Collection[str],
    vocabulary: Vocabulary = VOCABULARY,
) -> Check:
    """Look for every fact in a caption, and for every class it should not name."""
    sentences = split_sentences(text)
    lost = tuple(f"{f.kind} {f.subject}: {f.phrase}" for f in facts if not kept(f, sentences))
    invented = tuple(sorted(vocabulary.find(text) - set(truth)))
    return Check(len(facts), len(facts) - len(lost), lost, invented)


@dataclass(slots=True)
class FactReport:
    """The fact report of a set: one line a kind of caption."""

    rows: dict[str, list[Check]] = field(default_factory=dict)
    """Kind of caption (``fused``, ``rule``, ``objects`` ...) -> its checks."""

    def add(self, kind: str, check: Check) -> None:
        """Note one caption."""
        self.rows.setdefault(kind, []).append(check)

    def measures(self) -> dict[str, dict[str, Measure]]:
        """Kind -> kept facts (a share), captions with an invented class (a share)."""
        out = {}
        for kind, checks in self.rows.items():
            out[kind] = {
                "kept_facts": ratio_measure(
                    [c.kept for c in checks], [c.facts for c in checks]
                ),
                "captions_inventing": share_measure(
                    [bool(c.invented) for c in checks], better="low"
                ),
            }  # fmt: skip
        return out

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON, with the commonest inventions and losses."""
        out: dict[str, Any] = {}
        for kind, measures in self.measures().items():
            checks = self.rows[kind]
            invented = Counter(name for c in checks for name in c.invented)
            lost = Counter(x.split(" ", 1)[0] for c in checks for x in c.lost)
            out[kind] = {name: m.as_dict() for name, m in measures.items()} | {
                "captions": len(checks), "invented": dict(invented.most_common(10)),
                "lost_by_kind": dict(lost.most_common()),
            }  # fmt: skip
        return out

    def __str__(self) -> str:
        lines = [f"{'captions':<14}{'n':>8}{'kept facts':>13}{'inventing':>12}"]
        for kind, m in self.measures().items():
            lines.append(
                f"{kind:<14}{len(self.rows[kind]):>8}{_percent(m['kept_facts']):>13}"
                f"{_percent(m['captions_inventing']):>12}"
            )
        return "\n".join(lines)


def _percent(m: Measure) -> str:
    return "-" if m.value != m.value else f"{100 * m.value:.2f} %"


def report_rows(rows: Mapping[str, Sequence[Check]]) -> FactReport:
    """A report of checks that are already grouped."""
    return FactReport({k: list(v) for k, v in rows.items()})
