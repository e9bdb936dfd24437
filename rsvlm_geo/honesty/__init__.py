"""Honest questions from boxes: what can be answered, and what must be refused.

After RSSA / HnstD: presence, colour, absolute and relative position, each with questions whose
honest answer is a refusal, drawn by POPE's three strategies.
"""

from __future__ import annotations

from rsvlm_geo.honesty.check import CheckReport, check_questions
from rsvlm_geo.honesty.generate import Settings, generate_questions
from rsvlm_geo.honesty.negatives import STRATEGIES, ClassStatistics, pick_absent
from rsvlm_geo.honesty.questions import HonestQuestion
from rsvlm_geo.honesty.write import read_questions, write_questions

__all__ = [
    "STRATEGIES",
    "CheckReport",
    "ClassStatistics",
    "HonestQuestion",
    "Settings",
    "check_questions",
    "generate_questions",
    "pick_absent",
    "read_questions",
    "write_questions",
]
