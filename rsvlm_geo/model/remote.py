"""A model behind an OpenAI-compatible endpoint (vLLM, a GPU server), as any other ``Vlm``.

Only the standard library: one HTTPS connection per thread, retries with backoff, the image as PNG
inside the request. The key is sent, never logged and never shown.
"""

from __future__ import annotations

import base64
import http.client
import io
import json
import math
import os
import random
import ssl
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsvlm_geo.errors import EndpointError, TaskError
from rsvlm_geo.model.families import CONVENTION_OF, Words, read_boxes, task_words
from rsvlm_geo.model.vhm import parse_refusal
from rsvlm_geo.vlm import ModelInfo, Question, Reply

__all__ = ["Endpoint", "RemoteVlm"]

_RETRY = (408, 409, 425, 429, 500, 502, 503, 504)
_TASKS = frozenset({"caption", "classify", "count", "presence", "ask"})


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model answers, and how to ask."""

    url: str
    """Without the fragment, ``http://host:8000/v1``."""
    model: str
    """Its name there; empty: the only one the endpoint lists."""
    key: str = ""
    timeout_s: float = 120.0
    retries: int = 4
    backoff_s: float = 0.5
    concurrency: int = 8

    def __repr__(self) -> str:
        return f"Endpoint({self.url!r}, model={self.model!r})"  # never the key


class RemoteVlm:
    """A remote model behind the :class:`rsvlm_geo.vlm.Vlm` protocol."""

    def __init__(
        self,
        url: str,
        *,
        model: str | None = None,
        key: str | None = None,
        image_size: int = 448,
        answers: str = "talk",
        boxes: str | None = None,
        image_format: str = "png",
        timeout_s: float = 120.0,
        retries: int = 4,
        backoff_s: float = 0.5,
        concurrency: int = 8,
        name: str | None = None,
    ) -> None:
        """Point at an endpoint; it is asked for its models if none is named.

        Args:
            url: ``http(s)://host/v1``, ``#model`` at the end names the model.
            model: Its name there, instead of ``#model``.
            key: Sent as a bearer token; None: ``RSVLM_API_KEY`` or ``OPENAI_API_KEY``.
            image_size: Side of the tiles it is shown, pixels.
            answers: How tasks are put to it: ``talk``, ``vhm``, ``geochat``, ``qwen2``,
                ``qwen2_5``, ``paligemma``, ``florence``.
            boxes: Its box convention; None: what ``answers`` implies.
            image_format: ``png`` (exact) or ``jpeg`` (smaller).
            timeout_s: Seconds to wait for one answer.
            retries: Tries after the first, on 429, 5xx and broken connections.
            backoff_s: Wait before the first retry; doubles, with jitter.
            concurrency: Requests at once.
            name: In results; None: the model's.

        Raises:
            EndpointError: The URL is none, or the endpoint lists no model or several.
        """
        address, _, fragment = url.partition("#")
        parts = urllib.parse.urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise EndpointError(f"{address!r} is no endpoint; pass http(s)://host:port/v1#model")
        if parts.username or parts.password:
            raise EndpointError("put the key into RSVLM_API_KEY, not into the URL")
        if key is None:
            key = os.environ.get("RSVLM_API_KEY") or os.environ.get("OPENAI_API_KEY") or ""
        self.endpoint = Endpoint(
            address.rstrip("/"), model or fragment, key, timeout_s, retries, backoff_s,
            max(1, concurrency),
        )  # fmt: skip
        self._format = "JPEG" if image_format.lower() in ("jpg", "jpeg") else "PNG"
        self._answers = answers
        self._boxes = boxes or CONVENTION_OF.get(answers) or answers
        self._local = threading.local()
        self._logprobs = True
        if not self.endpoint.model:
            found = self._models()
            if len(found) != 1:
                raise EndpointError(
                    f"{self.endpoint.url} serves {', '.join(found) or 'no models'}; "
                    f"name one: {self.endpoint.url}#{found[0] if found else 'model'}"
                )
            self.endpoint = Endpoint(
                self.endpoint.url, found[0], key, timeout_s, retries, backoff_s,
                self.endpoint.concurrency,
            )  # fmt: skip
        tasks = _TASKS if answers == "talk" and boxes is None else _TASKS | {"locate"}
        self._info = ModelInfo(
            name=name or self.endpoint.model,
            image_size=image_size,
            tasks=tasks,
            provider=f"remote {parts.hostname}",
            batch=self.endpoint.concurrency,
        )

    @property
    def info(self) -> ModelInfo:
        """What it is and may be asked."""
        return self._info

    def ask(self, images: NDArray[np.uint8], questions: Sequence[Question]) -> list[list[Reply]]:
        """Answer every question about every image, several requests at once.

        Args:
            images: uint8[B, S, S, 3], RGB.
            questions: Asked of every image.

        Raises:
            TaskError: A task it is not asked.
            EndpointError: It is silent, refuses, or answers nonsense.
        """
        plans = [self._plan(question) for question in questions]
        pictures = [self._data_url(image) for image in images]
        with ThreadPoolExecutor(self.endpoint.concurrency) as pool:
            running = [
                [pool.submit(self._answer, picture, question, words)
                 for question, words in zip(questions, plans, strict=True)]
                for picture in pictures
            ]  # fmt: skip
            try:
                return [[future.result() for future in row] for row in running]
            except BaseException:
                for row in running:
                    for future in row:
                        future.cancel()
                raise

    def _plan(self, question: Question) -> Words:
        words = task_words(self._answers, question)
        if words is None:
            raise TaskError(
                f"{self._info.name} is not asked {question.task!r}; "
                f"take one of {', '.join(sorted(self._info.tasks))}"
            )
        return words

    def _answer(self, picture: str, question: Question, words: Words) -> Reply:
        prompt = words.text(question)
        if question.candidates and self._answers == "talk":
            prompt += f"\nAnswer with one of: {', '.join(question.candidates)}."
        text, tops = self._chat(picture, prompt, words.max_new_tokens, bool(question.candidates))
        if words.boxes:
            found = read_boxes(self._boxes, text, question, self._info.image_size)
            if isinstance(found, str):
                return Reply(text, reason=found)
            if found is not None:
                return Reply(text, boxes=found[0], labels=found[1])
            return Reply(text)
        refusal = parse_refusal(text)
        if refusal is not None:
            return Reply(text, reason=refusal.reason)
        if question.candidates and tops:
            best = _weigh(question.candidates, tops)
            if best is not None:
                return Reply(best)
        return Reply(text)

    def _chat(
        self, picture: str, prompt: str, max_tokens: int, closed: bool
    ) -> tuple[str, Mapping[str, float]]:
        """One answer, and the log-probabilities of its first token's rivals, where offered."""
        body: dict[str, Any] = {
            "model": self.endpoint.model,
            "temperature": 0,
            "max_tokens": max_tokens,
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "image_url", "image_url": {"url": picture}},
                        {"type": "text", "text": prompt},
                    ],
                }
            ],
        }
        if closed and self._logprobs:
            body |= {"logprobs": True, "top_logprobs": 20}
        try:
            said = self._request("POST", "/chat/completions", body)
        except _Refused as error:
            if error.status != 400 or "logprobs" not in body:
                raise
            self._logprobs = False
            del body["logprobs"], body["top_logprobs"]
            said = self._request("POST", "/chat/completions", body)
        try:
            choice = said["choices"][0]
            text = choice["message"]["content"]
        except (KeyError, IndexError, TypeError) as error:
            raise self._nonsense("no choices[0].message.content", said) from error
        if isinstance(text, list):
            text = "".join(str(part.get("text", "")) for part in text if isinstance(part, dict))
        if not isinstance(text, str):
            raise self._nonsense("an answer that is no text", said)
        return text.strip(), _first_tokens(choice)

    def _models(self) -> list[str]:
        said = self._request("GET", "/models", None)
        try:
            return [str(row["id"]) for row in said["data"]]
        except (KeyError, TypeError) as error:
            raise self._nonsense("no list of models", said) from error

    def _request(self, method: str, path: str, body: Any) -> Any:
        """One call, retried while that may help."""
        endpoint = self.endpoint
        data = None if body is None else json.dumps(body).encode()
        why = ""
        for attempt in range(endpoint.retries + 1):
            wait = endpoint.backoff_s * 2**attempt * (0.5 + random.random())
            try:
                status, headers, raw = self._send(method, path, data)
            except (OSError, http.client.HTTPException, ssl.SSLError) as error:
                self._close()
                why = f"{type(error).__name__}: {error}"
                if isinstance(error, ssl.SSLCertVerificationError):
                    break
            else:
                if status == 200:
                    return self._decode(raw)
                why = f"HTTP {status} {self._excerpt(raw)}"
                if status not in _RETRY:
                    raise _Refused(status, self._advice(status, why))
                wait = max(wait, _retry_after(headers))
            if attempt < endpoint.retries:
                time.sleep(min(wait, 30.0))
        raise EndpointError(
            f"{endpoint.url}{path} does not answer after {endpoint.retries + 1} tries ({why}); "
            "check that the server runs and the URL ends where its API begins (often /v1)"
        )

    def _send(
        self, method: str, path: str, data: bytes | None
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        connection, prefix = self._connection()
        headers = {"Accept": "application/json", "User-Agent": "rsvlm-geo"}
        if data is not None:
            headers["Content-Type"] = "application/json"
        if self.endpoint.key:
            headers["Authorization"] = f"Bearer {self.endpoint.key}"
        connection.request(method, prefix + path, body=data, headers=headers)
        response = connection.getresponse()
        return response.status, response.headers, response.read()

    def _connection(self) -> tuple[http.client.HTTPConnection, str]:
        """This thread's connection, through the proxy the environment names."""
        held: tuple[http.client.HTTPConnection, str] | None = getattr(self._local, "held", None)
        if held is not None:
            return held
        parts = urllib.parse.urlsplit(self.endpoint.url)
        host, timeout = parts.hostname or "", self.endpoint.timeout_s
        proxy = urllib.request.getproxies().get(parts.scheme)
        if proxy and urllib.request.proxy_bypass(host):
            proxy = None
        through = urllib.parse.urlsplit(proxy) if proxy else None
        where = (through.hostname or "", through.port) if through else (host, parts.port)
        connection: http.client.HTTPConnection
        if parts.scheme == "https":
            context = ssl.create_default_context(cafile=os.environ.get("RSVLM_CA_BUNDLE"))
            connection = http.client.HTTPSConnection(*where, timeout=timeout, context=context)
            if through:
                connection.set_tunnel(host, parts.port or 443)
        else:
            connection = http.client.HTTPConnection(*where, timeout=timeout)
        prefix = self.endpoint.url if through and parts.scheme == "http" else parts.path
        self._local.held = (connection, prefix)
        return connection, prefix

    def _close(self) -> None:
        held = getattr(self._local, "held", None)
        if held is not None:
            held[0].close()
            self._local.held = None

    def _decode(self, raw: bytes) -> Any:
        try:
            said = json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise self._nonsense("no JSON", raw) from error
        if not isinstance(said, dict):
            raise self._nonsense("no JSON object", said)
        return said

    def _nonsense(self, what: str, said: Any) -> EndpointError:
        raw = said if isinstance(said, bytes) else json.dumps(said).encode()
        return EndpointError(
            f"{self.endpoint.url} answers {what}, but {self._excerpt(raw)}; "
            "is that the address of an OpenAI-compatible API?"
        )

    def _excerpt(self, raw: bytes) -> str:
        """The beginning of an answer, for a message; a key that is echoed is blacked out."""
        text = " ".join(raw[:400].decode("utf-8", "replace").split())
        if self.endpoint.key:
            text = text.replace(self.endpoint.key, "***")
        return repr(text[:120])

    def _advice(self, status: int, why: str) -> str:
        if status in (401, 403):
            return f"{self.endpoint.url} refuses the key ({why}); set RSVLM_API_KEY"
        if status == 404:
            return (
                f"{self.endpoint.url} has no such page, or no model {self.endpoint.model!r} "
                f"({why}); the URL ends where the API begins (often /v1), #model names the model"
            )
        return f"{self.endpoint.url} refuses the request ({why})"

    def _data_url(self, image: NDArray[np.uint8]) -> str:
        from PIL import Image

        buffer = io.BytesIO()
        options: dict[str, Any] = {"quality": 92} if self._format == "JPEG" else {}
        Image.fromarray(image).save(buffer, self._format, **options)
        body = base64.b64encode(buffer.getvalue()).decode("ascii")
        return f"data:image/{self._format.lower()};base64,{body}"


class _Refused(EndpointError):
    """An answer that no retry will change."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def _first_tokens(choice: Any) -> dict[str, float]:
    """Token -> log-probability of what could have been said first; empty where not offered."""
    try:
        rows = choice["logprobs"]["content"][0]["top_logprobs"]
        found = {str(row["token"]): float(row["logprob"]) for row in rows}
    except (KeyError, IndexError, TypeError, ValueError):
        return {}
    return {token: value for token, value in found.items() if math.isfinite(value)}


def _weigh(candidates: Sequence[str], tops: Mapping[str, float]) -> str | None:
    """The candidate whose first token is likeliest; None unless tokens tell all apart."""
    weights = dict.fromkeys(candidates, 0.0)
    for token, logprob in tops.items():
        said = token.strip().lower()
        fits = [c for c in candidates if said and c.lower().startswith(said)]
        if len(fits) == 1:
            weights[fits[0]] += math.exp(logprob)
    best = max(weights, key=lambda name: weights[name])
    return best if weights[best] > 0 else None


def _retry_after(headers: http.client.HTTPMessage) -> float:
    try:
        return max(0.0, float(headers.get("Retry-After", "0")))
    except ValueError:
        return 0.0
