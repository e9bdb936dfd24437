"""Any published vision-language model behind the :class:`~rsvlm_geo.vlm.Vlm` seam.

An image is encoded once, the prompt up to and with the image is prefilled once, and every question
continues from there. Closed sets are scored by likelihood; text is generated and parsed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsvlm_geo.errors import TaskError
from rsvlm_geo.model.families import CONVENTION_OF, Words, read_boxes, task_words
from rsvlm_geo.model.generate import Generation, Job, Token
from rsvlm_geo.model.pack import Pack
from rsvlm_geo.model.runtime import Runtime
from rsvlm_geo.model.sampling import Sampling
from rsvlm_geo.model.score import Scored, plan_forms, score_closed
from rsvlm_geo.model.session import SessionOptions
from rsvlm_geo.model.vhm import parse_refusal
from rsvlm_geo.vlm import ModelInfo, Question, Reply

__all__ = ["GenericVlm"]

Images = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class _Plan:
    """One question, put into the model's words."""

    question: Question
    words: Words
    prompt: str
    closed: bool


class GenericVlm:
    """A pack of any family the runtime knows."""

    def __init__(
        self,
        pack: Pack,
        *,
        provider: str = "auto",
        threads: int | None = None,
        variant: str | None = None,
        device_id: int = 0,
        memory_limit_mb: int | None = None,
        spinning: bool | None = None,
        max_rows: int = 32,
        split: bool | None = None,
        keep_on_device: bool | None = None,
    ) -> None:
        """Load a pack's graphs.

        Args:
            pack: From :func:`~rsvlm_geo.model.pack.load_pack`.
            provider: ``auto``, or the provider that must run.
            threads: CPU threads; None for all cores.
            variant: Of every graph; None takes the card's or the provider's preference.
            device_id: Which card.
            memory_limit_mb: Most device memory to take.
            spinning: Whether idle threads spin.
            max_rows: Texts generated at once.
            split: Whether images are split into crops, by models that can; None: as configured.
            keep_on_device: Whether the cache stays on the device; None: unless that is the CPU.

        Raises:
            PackError: The pack is incomplete, or does not fit into memory.
            ProviderError: The provider asked for does not run.
        """
        options = SessionOptions(provider, threads, device_id, memory_limit_mb, spinning)
        self.runtime = Runtime(
            pack, options, variant=variant, max_rows=max_rows, split=split,
            keep_on_device=keep_on_device,
        )  # fmt: skip
        self.pack = pack
        family = self.runtime.family
        self._answers = str(pack.card.get("answers", family.answers))
        self._boxes = str(
            pack.card.get("boxes") or CONVENTION_OF.get(self._answers) or family.boxes or "vhm"
        )
        tasks = pack.info.tasks if "tasks" in pack.card else family.tasks
        if self._answers in CONVENTION_OF and "tasks" not in pack.card:
            tasks = tasks | {"locate"}
        self._info = replace(
            pack.info,
            tasks=tasks,
            image_size=self.runtime.image_size,
            provider=self.runtime.provider,
            sha256=pack.info.sha256 or self.runtime.fingerprint(),
        )

    @property
    def info(self) -> ModelInfo:
        """What it is and may be asked."""
        return self._info

    @property
    def providers(self) -> dict[str, str]:
        """Graph -> the provider that is really active for it."""
        return self.runtime.providers

    def ask(self, images: Images, questions: Sequence[Question]) -> list[list[Reply]]:
        """Answer every question about every image; each image is encoded once.

        Args:
            images: uint8[B, S, S, 3], RGB.
            questions: Asked of every image.

        Raises:
            TaskError: A task the model is not asked.
        """
        plans = [self._plan(question) for question in questions]
        closed = [i for i, plan in enumerate(plans) if plan.closed]
        spoken = [i for i, plan in enumerate(plans) if not plan.closed]
        replies: list[list[Reply | None]] = [[None] * len(plans) for _ in images]
        order: list[tuple[int, int]] = []
        jobs = self._jobs(images, plans, closed, spoken, replies, order)
        for number, said in enumerate(self.runtime.engine.run(jobs)):
            image, index = order[number]
            replies[image][index] = self._reply(plans[index], said)
        return [[reply for reply in row if reply is not None] for row in replies]

    def generate(
        self,
        images: Images,
        prompts: Sequence[str],
        sampling: Sampling | None = None,
    ) -> list[list[Generation]]:
        """Raw text: every prompt about every image, in the model's chat template.

        Args:
            images: uint8[B, S, S, 3], RGB.
            prompts: User's words.
            sampling: How to decode; greedy by default.
        """
        sampling = sampling or self.runtime.sampling()
        jobs = (
            job
            for _, prompt_jobs in self.runtime.iter_jobs(images, prompts, [sampling] * len(prompts))
            for job in prompt_jobs
        )
        if sampling.num_beams > 1:
            from rsvlm_geo.model.beam import beam_search

            texts = [beam_search(self.runtime.engine, job) for job in jobs]
        else:
            texts = self.runtime.engine.run(jobs)
        width = len(prompts)
        return [texts[i * width : (i + 1) * width] for i in range(len(images))]

    def stream(
        self, image: NDArray[np.uint8], prompt: str, sampling: Sampling | None = None
    ) -> Iterator[Token]:
        """One text about one image, token by token.

        Args:
            image: uint8[S, S, 3], RGB.
            prompt: User's words.
            sampling: How to decode; greedy by default.
        """
        [(_, jobs)] = self.runtime.iter_jobs(
            image[None], [prompt], [sampling or self.runtime.sampling()]
        )
        return self.runtime.engine.stream(jobs)

    def score(
        self, images: Images, question: str, candidates: Sequence[str]
    ) -> list[dict[str, float]]:
        """Likelihood of each candidate answer, for each image; not calibrated.

        Args:
            images: uint8[B, S, S, 3], RGB.
            question: User's words.
            candidates: The closed set.
        """
        prompt = self.runtime.template(question)
        forms = self._forms(prompt, candidates)
        scored = [
            Scored(job, forms)
            for _, jobs in self.runtime.iter_jobs(images, [question], [self.runtime.sampling()])
            for job in jobs
        ]
        return score_closed(self.runtime.engine, scored)

    def _plan(self, question: Question) -> _Plan:
        words = task_words(self._answers, question)
        if words is None:
            raise TaskError(
                f"{self._info.name} is not asked {question.task!r}; "
                f"take one of {', '.join(sorted(self._info.tasks))}"
            )
        prompt = words.text(question)
        closed = bool(question.candidates) and not words.boxes
        return _Plan(question, words, prompt, closed)

    def _jobs(
        self,
        images: Images,
        plans: Sequence[_Plan],
        closed: Sequence[int],
        spoken: Sequence[int],
        replies: list[list[Reply | None]],
        order: list[tuple[int, int]],
    ) -> Iterator[Job]:
        """Prefill images as the engine has room; closed sets are scored on the way."""
        prompts = [plan.prompt for plan in plans]
        rules = [self.runtime.sampling(plan.words.max_new_tokens) for plan in plans]
        forms = {
            i: self._forms(self.runtime.template(prompts[i]), plans[i].question.candidates or ())
            for i in closed
        }
        for numbers, jobs in self.runtime.iter_jobs(images, prompts, rules):
            asked = [
                Scored(jobs[place * len(plans) + i], forms[i], self._temperature(plans[i]))
                for place in range(len(numbers))
                for i in closed
            ]
            weights = iter(score_closed(self.runtime.engine, asked))
            for number in numbers:
                for i in closed:
                    replies[number][i] = self._weighed(plans[i], next(weights))
            for place, number in enumerate(numbers):
                for i in spoken:
                    order.append((number, i))
                    yield jobs[place * len(plans) + i]

    def _forms(
        self, prompt: str, candidates: Sequence[str]
    ) -> dict[str, tuple[tuple[int, ...], ...]]:
        runtime = self.runtime
        eos = min(runtime.engine.eos) if runtime.engine.eos else None
        glue = "" if prompt.endswith(("\n", " ")) or not prompt else " "
        return plan_forms(
            candidates, lambda text: runtime.codec.continuation(prompt, glue + text), eos
        )

    def _calibration(self, plan: _Plan) -> Any:
        return self.pack.card.get("calibration", {}).get(plan.question.task)

    def _temperature(self, plan: _Plan) -> float:
        row = self._calibration(plan)
        return float(row.get("temperature", 1.0)) if isinstance(row, dict) else 1.0

    def _weighed(self, plan: _Plan, weights: dict[str, float]) -> Reply:
        """A closed set's answer; probabilities only where the card says they are calibrated."""
        best = max(weights, key=lambda name: weights[name])
        if self._calibration(plan) is None:
            return Reply(best)
        return Reply(best, candidates=weights)

    def _reply(self, plan: _Plan, said: Generation) -> Reply:
        text = said.text.strip()
        if not plan.words.boxes:
            refusal = parse_refusal(text)
            return Reply(text, reason=refusal.reason if refusal else None)
        found = read_boxes(self._boxes, text, plan.question, self._info.image_size)
        if found is None:
            return Reply(text)
        if isinstance(found, str):
            return Reply(text, reason=found)
        boxes, labels = found
        if plan.question.task == "presence":
            return Reply("yes" if len(boxes) else "no", boxes=boxes, labels=labels)
        return Reply(text, boxes=boxes, labels=labels)
