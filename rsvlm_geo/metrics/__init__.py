"""Measures of an evaluation: every number with its n, its interval and what did not parse.

Strict by default: an answer that does not parse is wrong, never left out. :mod:`.rseval` holds the
published toolkit's own scores, defects and all, for comparison with printed tables.
"""

from __future__ import annotations

from rsvlm_geo.metrics.boxes import (
    average_precision,
    box_iou,
    detection,
    grounding,
    match_boxes,
    outline_iou,
    outlines,
)
from rsvlm_geo.metrics.calibration import (
    aurc,
    brier,
    calibration,
    ece,
    expected_ece,
    risk_coverage,
)
from rsvlm_geo.metrics.captions import (
    Vocabulary,
    bleu,
    caption_measures,
    cider_d,
    human_agreement,
    invented_objects,
    mentioned,
    rouge_l,
    tokenize,
)
from rsvlm_geo.metrics.closed import (
    average_precision_labels,
    classification,
    constant_answer,
    multi_label,
    normalise_answer,
    vqa,
    yes_no,
)
from rsvlm_geo.metrics.honesty import honesty_baselines, is_refusal_text, refusals
from rsvlm_geo.metrics.measure import (
    Measure,
    bootstrap_measure,
    format_table,
    mean_measure,
    ratio_measure,
    share_measure,
    wilson_interval,
)
from rsvlm_geo.metrics.numbers import best_constant, counting, number_errors
from rsvlm_geo.metrics.retrieval import retrieval

__all__ = [
    "Measure", "Vocabulary",
    "aurc", "average_precision", "average_precision_labels", "best_constant", "bleu",
    "bootstrap_measure", "box_iou", "brier", "calibration", "caption_measures", "cider_d",
    "classification", "constant_answer", "counting", "detection", "ece", "expected_ece",
    "format_table",
    "grounding", "honesty_baselines", "human_agreement", "invented_objects", "is_refusal_text",
    "match_boxes", "mean_measure", "mentioned", "multi_label", "normalise_answer",
    "number_errors", "outline_iou", "outlines", "ratio_measure", "refusals", "retrieval",
    "risk_coverage", "rouge_l", "share_measure", "tokenize", "vqa", "wilson_interval", "yes_no",
]  # fmt: skip
