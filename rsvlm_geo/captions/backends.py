"""Who writes: a vision-language model of ours, or an OpenAI-compatible endpoint."""

from __future__ import annotations

import base64
import io
import json
import os
import random
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from rsvlm_geo.errors import EndpointError
from rsvlm_geo.vlm import Question, Vlm

__all__ = ["BudgetReached", "Endpoint", "Limits", "LocalWriter", "Writer"]


class BudgetReached(EndpointError):
    """The limit of requests, tokens or cost is reached; what was made is kept."""


class Writer(Protocol):
    """Writes a text about an image, or from a prompt alone."""

    @property
    def name(self) -> str:
        """Model and version, for provenance."""
        ...

    @property
    def sees(self) -> bool:
        """Whether it can be shown an image."""
        ...

    @property
    def follows(self) -> bool:
        """Whether it does what a prompt says; the embedded model only captions."""
        ...

    def write(self, prompt: str, image: Path | None = None) -> str:
        """Answer a prompt.

        Raises:
            EndpointError: It is silent, or answers nonsense, after retries.
        """
        ...


class LocalWriter:
    """A model pack (or any :class:`~rsvlm_geo.vlm.Vlm`) that writes captions of images.

    The embedded model has one way of describing a tile: it is asked to caption, and other prompts
    are put as questions only to models that take free text.
    """

    sees = True

    def __init__(self, model: Vlm, *, free_text: bool = False) -> None:
        self.model = model
        self.follows = free_text

    @property
    def name(self) -> str:
        """Name and version of the pack."""
        info = self.model.info
        return f"{info.name} {info.version}".strip()

    def write(self, prompt: str, image: Path | None = None) -> str:
        """Caption an image."""
        if image is None:
            raise EndpointError(f"{self.name} writes about images only; it was given none")
        return self.write_many(prompt, [image])[0]

    def write_many(self, prompt: str, images: Sequence[Path]) -> list[str]:
        """Caption several images in one batch; a refusal is an empty text."""
        from rsvlm_geo.answers import answer_from_reply

        info = self.model.info
        tiles = np.stack([_square(path, info.image_size) for path in images])
        task = "ask" if self.follows else "caption"
        question = Question(task, prompt if self.follows else "Please describe the remote "
                            "sensing image.")  # fmt: skip
        out = []
        for path, row in zip(images, self.model.ask(tiles, [question]), strict=True):
            answer = answer_from_reply(path.name, question, row[0], info)
            out.append(answer.text if answer.status == "answered" else "")
        return out


def _square(path: Path, size: int) -> Any:
    from PIL import Image

    with Image.open(path) as opened:
        image = opened.convert("RGB")
    side = max(image.size)
    if image.size != (side, side):
        padded = Image.new("RGB", (side, side), (122, 116, 104))
        padded.paste(image, (0, 0))
        image = padded
    return np.asarray(image.resize((size, size), Image.Resampling.BICUBIC), dtype=np.uint8)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be asked of an endpoint."""

    per_minute: float | None = None
    """Requests a minute; None: as fast as it answers."""
    max_requests: int | None = None
    max_cost: float | None = None
    """In the currency of the two prices."""
    price_in: float = 0.0
    """Per million tokens of prompt."""
    price_out: float = 0.0
    """Per million tokens of answer."""
    retries: int = 4
    timeout_s: float = 60.0
    max_answer_bytes: int = 1 << 20


class Endpoint:
    """A chat-completions endpoint: retries, a rate limit, a budget, exact counts.

    Args:
        url: ``http(s)://host/v1#model``.
        limits: Of rate, cost and patience.
        key: Bearer token; by default from ``RSVLM_API_KEY``. It is sent in a header only, and is
            in no message or file.
        sees: Whether the model takes images.
        max_tokens: Longest answer.
    """

    follows = True

    def __init__(
        self, url: str, limits: Limits | None = None, *, key: str | None = None, sees: bool = True,
        max_tokens: int = 300,
    ) -> None:  # fmt: skip
        base, _, model = url.partition("#")
        if not base.startswith(("http://", "https://")) or not model:
            raise EndpointError(f"an endpoint is http(s)://host/v1#model; got {url!r}")
        self.url = base.rstrip("/") + "/chat/completions"
        self.model, self.sees, self.max_tokens = model, sees, max_tokens
        self.limits = limits or Limits()
        self._key = key if key is not None else os.environ.get("RSVLM_API_KEY", "")
        self._lock = threading.Lock()
        self._next = 0.0
        self.requests = self.retries = self.tokens_in = self.tokens_out = 0

    @property
    def name(self) -> str:
        """The model's name at the endpoint."""
        return self.model

    @property
    def cost(self) -> float:
        """What the tokens the endpoint has counted cost so far."""
        a, b = self.limits.price_in, self.limits.price_out
        return (self.tokens_in * a + self.tokens_out * b) / 1e6

    def counts(self) -> dict[str, float]:
        """Requests, retries, tokens and cost so far."""
        return {
            "requests": self.requests, "retries": self.retries, "tokens_in": self.tokens_in,
            "tokens_out": self.tokens_out, "cost": round(self.cost, 6),
        }  # fmt: skip

    def write(self, prompt: str, image: Path | None = None) -> str:
        """One answer.

        Raises:
            BudgetReached: A limit is reached; nothing was sent.
            EndpointError: Down, slow, refusing, or answering something else, after retries.
        """
        content: Any = prompt
        if image is not None:
            data = base64.b64encode(_jpeg(image)).decode()
            content = [
                {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{data}"}},
                {"type": "text", "text": prompt},
            ]
        body = json.dumps(
            {
                "model": self.model, "max_tokens": self.max_tokens, "temperature": 0,
                "messages": [{"role": "user", "content": content}],
            }
        ).encode()  # fmt: skip
        last = ""
        for attempt in range(self.limits.retries + 1):
            self._spend()
            wait = 0.5 * 2**attempt * (0.5 + random.random())  # nosec B311 - jitter only
            try:
                return self._read(self._post(body))
            except urllib.error.HTTPError as error:
                last = f"HTTP {error.code}"
                if error.code not in (408, 409, 425, 429) and error.code < 500:
                    raise EndpointError(f"{self.url} refuses the request: {last}") from error
                wait = _retry_after(error.headers.get("Retry-After")) or wait
            except (urllib.error.URLError, TimeoutError, ConnectionError, OSError) as error:
                last = f"{type(error).__name__}: {getattr(error, 'reason', error)}"
            except ValueError as error:
                last = str(error)
            if attempt < self.limits.retries:
                self.retries += 1
                time.sleep(min(wait, 30.0))
        raise EndpointError(
            f"{self.url} gave no answer in {self.limits.retries + 1} tries; the last: {last}"
        )

    def _spend(self) -> None:
        limits = self.limits
        with self._lock:
            if limits.max_requests is not None and self.requests >= limits.max_requests:
                raise BudgetReached(f"the limit of {limits.max_requests} requests is reached")
            if limits.max_cost is not None and self.cost >= limits.max_cost:
                raise BudgetReached(f"the limit of {limits.max_cost:g} in cost is reached")
            self.requests += 1
            now = time.monotonic()
            start = max(now, self._next)
            if limits.per_minute:
                self._next = start + 60.0 / limits.per_minute
        if start > now:
            time.sleep(start - now)

    def _post(self, body: bytes) -> bytes:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        request = urllib.request.Request(self.url, data=body, headers=headers)
        with urllib.request.urlopen(request, timeout=self.limits.timeout_s) as answer:  # nosec B310 - http(s) checked in __init__
            data: bytes = answer.read(self.limits.max_answer_bytes + 1)
        if len(data) > self.limits.max_answer_bytes:
            raise ValueError(f"more than {self.limits.max_answer_bytes} bytes of answer")
        return data

    def _read(self, data: bytes) -> str:
        try:
            said = json.loads(data)
            text = said["choices"][0]["message"]["content"]
            usage = said.get("usage") or {}
        except (json.JSONDecodeError, KeyError, IndexError, TypeError, UnicodeDecodeError) as error:
            start = data[:60].decode("utf-8", errors="replace")
            raise ValueError(f"not a chat completion: {start!r}") from error
        if not isinstance(text, str):
            raise ValueError("a chat completion without text")
        self.tokens_in += int(usage.get("prompt_tokens") or 0)
        self.tokens_out += int(usage.get("completion_tokens") or 0)
        return text.strip()


def _retry_after(value: str | None) -> float | None:
    try:
        return max(0.0, float(value)) if value else None
    except ValueError:
        return None


def _jpeg(path: Path, side: int = 1024) -> bytes:
    from PIL import Image

    with Image.open(path) as opened:
        image = opened.convert("RGB")
    image.thumbnail((side, side))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()
