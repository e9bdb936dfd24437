"""One scene from start to :class:`Result`: plan, read ahead, ask, merge, place."""

from rsvlm_geo.pipeline.gates import Gate, gate
from rsvlm_geo.pipeline.job import Job, main_objects, plan_job, questions_for
from rsvlm_geo.pipeline.result import PICTURES, Result
from rsvlm_geo.pipeline.run import Cancel, Progress, execute, iter_answers
from rsvlm_geo.pipeline.store import Store, TileAnswers, fingerprint
from rsvlm_geo.pipeline.summary import Statement
from rsvlm_geo.pipeline.totals import Total
from rsvlm_geo.pipeline.verbs import (
    ask,
    caption,
    classify,
    count,
    describe,
    locate,
    presence,
    run_task,
)

__all__ = [
    "PICTURES",
    "Cancel",
    "Gate",
    "Job",
    "Progress",
    "Result",
    "Statement",
    "Store",
    "TileAnswers",
    "Total",
    "ask",
    "caption",
    "classify",
    "count",
    "describe",
    "execute",
    "fingerprint",
    "gate",
    "iter_answers",
    "locate",
    "main_objects",
    "plan_job",
    "presence",
    "questions_for",
    "run_task",
]
