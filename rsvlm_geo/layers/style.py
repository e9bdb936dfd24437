"""How the layers look in QGIS: status by colour, refused hatched, never mistaken for "no".

Colours are Okabe and Ito's, which people with colour-blindness tell apart. One group of rules a
question, so that a run of several questions shows the first and offers the others in the legend.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from rsvlm_geo.layers.qml import Fill, LabelRule, Rule, document, literal, rule_renderer

__all__ = [
    "ANSWER_ALIASES",
    "OBJECT_ALIASES",
    "REASON_WORDS",
    "RUN_ALIASES",
    "STATUS_WORDS",
    "answers_style",
    "class_colors",
    "count_bins",
    "object_colors",
    "objects_style",
    "run_style",
]

STATUS_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "answered": "Answered",
        "refused": "Refused: cannot be told from this image",
        "unreadable": "Unreadable answer",
        "nodata": "No data here",
        "failed": "Failed",
    }
)
REASON_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "invisible": "not visible in the image",
        "panchromatic": "the scene has no colour",
        "below_gsd": "too small for these pixels",
        "modality": "not this kind of image",
        "low_confidence": "the model is not sure",
        "out_of_scope": "the model does not know this",
    }
)
ANSWER_ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "run_id": "Run", "scene_id": "Scene", "tile_id": "Tile", "task": "Task",
        "question": "Question", "target": "Looked for", "status": "Status", "answer": "Answer",
        "value": "Value", "unit": "Unit", "confidence": "Confidence", "reason": "Why refused",
        "n_objects": "Objects", "gsd_m": "Metres per pixel", "valid_frac": "Share with data",
        "model": "Model", "elapsed_ms": "Milliseconds", "datetime": "Image taken",
    }
)  # fmt: skip
OBJECT_ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "run_id": "Run", "scene_id": "Scene", "tile_id": "Tile", "object_id": "Object",
        "label": "Class", "score": "Score", "area_m2": "Area (m²)", "datetime": "Image taken",
    }
)  # fmt: skip
RUN_ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "run_id": "Run", "scene_id": "Scene", "task": "Task", "summary": "Summary",
        "coverage": "Coverage", "complete": "Complete", "model": "Model",
        "provenance": "Provenance (JSON)",
    }
)  # fmt: skip

_PALETTE = (
    (0, 114, 178), (230, 159, 0), (0, 158, 115), (204, 121, 167), (86, 180, 233), (213, 94, 0),
    (240, 228, 66), (120, 94, 240), (140, 86, 75), (23, 190, 207), (188, 189, 34), (227, 119, 194),
    (49, 130, 89), (158, 202, 225), (99, 57, 156), (253, 174, 97), (102, 166, 30), (166, 118, 29),
    (117, 112, 179), (231, 41, 138),
)  # fmt: skip
_BRIGHT = (
    (255, 235, 0), (0, 229, 255), (255, 64, 180), (140, 255, 60), (255, 140, 0), (190, 120, 255),
    (255, 255, 255), (255, 82, 82), (100, 181, 246), (0, 230, 170), (255, 204, 188),
    (205, 220, 57),
)  # fmt: skip
_BINS = ((1, 2), (3, 5), (6, 10), (11, 20), (21, 50), (51, 100), (101, 1000), (1001, 10**9))
_RAMP = (
    (254, 240, 190, 60), (254, 217, 118, 70), (254, 178, 76, 80), (253, 141, 60, 90),
    (240, 80, 50, 100), (200, 30, 40, 110), (150, 0, 38, 125), (90, 0, 40, 140),
)  # fmt: skip
_THIN = (255, 255, 255, 190)
_OTHERS = (
    ("refused", Fill(hatch=(230, 159, 0, 255), outline=(166, 100, 0, 255), width_mm=0.35)),
    (
        "unreadable",
        Fill(hatch=(170, 60, 130, 230), hatch_angle=0, outline=(170, 60, 130, 255), dash="dot"),
    ),
    ("nodata", Fill(fill=(150, 150, 150, 120), outline=(110, 110, 110, 180), width_mm=0.2)),
    ("failed", Fill(fill=(214, 39, 40, 130), outline=(150, 0, 0, 255), width_mm=0.5)),
)
_SAID = Fill(fill=(0, 114, 178, 20), outline=(0, 114, 178, 255), width_mm=0.3)
_YES = Fill(fill=(0, 158, 115, 80), outline=(0, 90, 66, 255), width_mm=0.4)
_NO = Fill(fill=(255, 255, 255, 36), outline=(140, 140, 140, 190), width_mm=0.2)
_MAX_CLASSES = 40


def class_colors(names: Sequence[str]) -> dict[str, tuple[int, int, int]]:
    """A colour for each class, in the order given; they repeat after twenty."""
    return {name: _PALETTE[i % len(_PALETTE)] for i, name in enumerate(names)}


def object_colors(names: Sequence[str]) -> dict[str, tuple[int, int, int]]:
    """A bright colour for each class of objects; they stand on imagery, over the tiles' tints."""
    return {name: _BRIGHT[i % len(_BRIGHT)] for i, name in enumerate(names)}


def count_bins(highest: float) -> list[tuple[int, int]]:
    """The count classes ``(low, high)`` that numbers up to ``highest`` fall into."""
    return [(low, high) for low, high in _BINS if low <= max(highest, 1)]


def answers_style(questions: Sequence[Mapping[str, Any]], tile_m: float | None) -> str:
    """The style of ``answers``.

    Args:
        questions: In the order asked, each ``question``, ``task``, ``kind`` (as in
            :class:`rsvlm_geo.tasks.Task`, ``yes_no`` for closed yes/no questions), ``title``,
            ``answers`` (distinct answers, most frequent first) and ``highest`` (largest value).
        tile_m: Side of a tile in metres: labels appear once a tile is wide enough for them.
    """
    rules, labels = [], []
    base = (tile_m or 100.0) / 0.024
    for index, question in enumerate(questions):
        mine = f'"question" = {literal(str(question["question"]))}'
        inner = _answered_rules(question)
        inner += [
            Rule(STATUS_WORDS[status], f'"status" = {literal(status)}', fill)
            for status, fill in _OTHERS
        ]
        rules.append(Rule(str(question["title"]), mine, children=tuple(inner), checked=index == 0))
        kind = question["kind"]
        long = kind in ("text", "free", "number")
        text = '"answer"'
        if kind == "count" or kind == "boxes":
            shown = f'{mine} AND "status" = \'answered\' AND "value" > 0'
            text = 'format_number("value", if("value" = round("value"), 0, 1))'
        else:
            shown = f"{mine} AND \"status\" = 'answered'"
        if kind in ("class", "yes_no", "choice"):
            text = (
                "replace(\"answer\", '_', ' ') || "
                "coalesce('\\n' || round(\"confidence\" * 100) || ' %', '')"
            )
        labels.append(
            LabelRule(
                f"{question['title']}: answer", shown, text,
                base / 2.5 if long else base, 8.0 if long else 9.0, wrap=32 if long else 0,
            )
        )  # fmt: skip
        labels.append(
            LabelRule(
                f"{question['title']}: why not",
                f"{mine} AND \"status\" IN ('refused', 'unreadable', 'failed')",
                _words_expression(), base, 7.5, (110, 66, 0, 255), wrap=22, italic=True,
            )
        )  # fmt: skip
    return document(
        rule_renderer(rules),
        labels=labels,
        aliases=ANSWER_ALIASES,
        map_tip=_ANSWER_TIP,
        display='coalesce("tile_id", \'\') || \': \' || coalesce("answer", "status")',
        value_maps={"status": STATUS_WORDS, "reason": REASON_WORDS},
        multiline=("question", "answer"),
    )


def _answered_rules(question: Mapping[str, Any]) -> list[Rule]:
    said = "\"status\" = 'answered'"
    kind = question["kind"]
    if kind in ("count", "boxes"):
        rules = [Rule("None found", f'{said} AND "value" < 0.5', _NO)]
        bins = count_bins(float(question.get("highest") or 0))
        for (low, high), color in zip(bins, _RAMP, strict=False):
            words = f"{low}" if low == high else f"{low} to {high}" if high < 10**9 else f"{low}+"
            rules.append(
                Rule(
                    words,
                    f'{said} AND "value" >= {low - 0.5} AND "value" < {high + 0.5}',
                    Fill(fill=color, outline=_THIN, width_mm=0.2),
                )
            )
        return rules
    if kind == "yes_no":
        return [
            Rule("Yes", f"{said} AND \"answer\" = 'yes'", _YES),
            Rule("No", f"{said} AND \"answer\" = 'no'", _NO),
        ]
    names = list(question.get("answers") or ())
    if kind in ("class", "choice") and 0 < len(names) <= _MAX_CLASSES:
        return [
            Rule(
                name.replace("_", " "),
                f'{said} AND "answer" = {literal(name)}',
                Fill(fill=(*color, 46), outline=(*color, 230), width_mm=0.35),
            )
            for name, color in class_colors(names).items()
        ]
    return [Rule("Answered", said, _SAID)]


def _words_expression() -> str:
    cases = " ".join(
        f'WHEN "reason" = {literal(key)} THEN {literal(words)}'
        for key, words in REASON_WORDS.items()
    )
    return (
        f"CASE {cases} WHEN \"status\" = 'unreadable' THEN 'unreadable answer' "
        "WHEN \"status\" = 'failed' THEN 'failed' END"
    )


_ANSWER_TIP = (
    '<div style="font-family:sans-serif;max-width:360px">'
    '<p style="color:#555;margin:0">[% "question" %]</p>'
    '<p style="font-size:120%;margin:4px 0"><b>[% CASE WHEN "status" = \'answered\' THEN "answer" '
    "WHEN \"status\" = 'nodata' THEN 'no data here' "
    "WHEN \"status\" = 'refused' THEN 'Refused: ' || (" + _words_expression() + ") "
    "ELSE \"status\" || ': ' || coalesce(\"answer\", '') END %]</b></p>"
    "<p style=\"color:#555;margin:0\">[% coalesce('confidence ' || "
    'round("confidence" * 100) || \' % · \', \'\') %][% "model" %] · tile [% "tile_id" %]'
    "[% coalesce(' · ' || round(\"gsd_m\", 2) || ' m per pixel', '') %]</p></div>"
)
_OBJECT_TIP = (
    "<div style=\"font-family:sans-serif\"><b>[% replace(\"label\", '_', ' ') %]</b> "
    "[% coalesce(round(\"score\" * 100) || ' %', '') %]<br/>"
    "[% coalesce(round(\"area_m2\", 1) || ' m² · ', '') %]object [% \"object_id\" %], "
    'tile [% "tile_id" %]</div>'
)
_RUN_TIP = (
    '<div style="font-family:sans-serif;max-width:420px"><b>[% "summary" %]</b><br/>'
    '[% "coverage" %]<br/>[% "model" %]</div>'
)


def objects_style(labels: Sequence[str], object_m: float | None) -> str:
    """The style of ``objects``: an outline by class, its name once there is room.

    Args:
        labels: The classes found, most frequent first.
        object_m: Usual side of an object in metres.
    """
    rules = [
        Rule(
            name.replace("_", " "),
            f'"label" = {literal(name)}',
            Fill(outline=(*color, 255), width_mm=0.55, halo=(0, 0, 0, 170)),
        )
        for name, color in object_colors(labels).items()
    ]
    rules.append(Rule("other", "ELSE", Fill(outline=(200, 200, 200, 255), halo=(0, 0, 0, 170))))
    text = "replace(\"label\", '_', ' ') || coalesce(' ' || round(\"score\" * 100) || ' %', '')"
    return document(
        rule_renderer(rules),
        labels=[LabelRule("class and score", "", text, (object_m or 10.0) / 0.008, 7.0, top=True)],
        aliases=OBJECT_ALIASES,
        map_tip=_OBJECT_TIP,
        display='"label" || \' \' || "object_id"',
    )


def run_style() -> str:
    """The style of ``run``: the asked area as a dashed line."""
    return document(
        rule_renderer(
            [Rule("Asked area", "", Fill(outline=(40, 40, 40, 255), dash="dash", width_mm=0.5))]
        ),
        aliases=RUN_ALIASES,
        map_tip=_RUN_TIP,
        display='"summary"',
        multiline=("summary", "provenance"),
    )
