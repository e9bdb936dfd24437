"""The words around a question: each model's own, to the byte.

A pack's ``chat_template`` is used where it has one and ``jinja2`` is installed (rendered in a
sandbox: a template can compute text and nothing else). The families below are written out, so that
they need neither.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from rsvlm_geo.errors import PackError
from rsvlm_geo.model.pack import Pack

__all__ = ["IMAGE", "TEMPLATES", "VICUNA_SYSTEM", "pick_template", "render_jinja"]

IMAGE = "<image>"
"""Where the image goes, in every template of this module."""

VICUNA_SYSTEM = (
    "A chat between a curious user and an artificial intelligence assistant. "
    "The assistant gives helpful, detailed, and polite answers to the user's questions."
)
"""FastChat's Vicuna v1.1, as LLaVA and VHM were trained with."""

Template = Callable[[str], str]


def vicuna_v1(question: str) -> str:
    """LLaVA 1.5 and VHM: system, one space, turns."""
    return f"{VICUNA_SYSTEM} USER: {IMAGE}\n{question} ASSISTANT:"


def llava_hf(question: str) -> str:
    """llava-hf's conversion of LLaVA 1.5, which leaves the system prompt out."""
    return f"USER: {IMAGE}\n{question} ASSISTANT:"


def plain(question: str) -> str:
    """LLaVA's pretraining: the image and nothing else, the caption follows at once."""
    return f"{IMAGE}{question}"


def smolvlm(question: str) -> str:
    """SmolVLM, SmolVLM2."""
    return f"<|im_start|>User:{IMAGE}{question}<end_of_utterance>\nAssistant:"


def idefics3(question: str) -> str:
    """Idefics3 on Llama 3."""
    return f"<|begin_of_text|>User:{IMAGE}{question}<end_of_utterance>\nAssistant:"


def qwen_vl(question: str) -> str:
    """Qwen2-VL and Qwen2.5-VL."""
    return (
        "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n"
        f"<|vision_start|>{IMAGE}<|vision_end|>{question}<|im_end|>\n<|im_start|>assistant\n"
    )


def paligemma(question: str) -> str:
    """PaliGemma: the image, BOS, the prompt, one newline."""
    return f"{IMAGE}<bos>{question}\n"


def bare(question: str) -> str:
    """Models whose text side sees the prompt alone (Florence-2, BLIP, GIT)."""
    return question


TEMPLATES: Mapping[str, Template] = MappingProxyType(
    {
        "vicuna_v1": vicuna_v1,
        "llava": llava_hf,
        "plain": plain,
        "smolvlm": smolvlm,
        "idefics3": idefics3,
        "qwen2_vl": qwen_vl,
        "qwen2_5_vl": qwen_vl,
        "paligemma": paligemma,
        "florence2": bare,
        "blip": bare,
        "git": bare,
        "vision-encoder-decoder": bare,
        "bare": bare,
    }
)
"""Name of a card's ``chat``, or of an architecture -> the template."""

_OWN = ("llava", "idefics3", "smolvlm", "qwen2_vl", "qwen2_5_vl")


def pick_template(pack: Pack) -> Template:
    """The template of a pack: what its card names, its own ``chat_template``, its family's.

    Raises:
        PackError: The card names one that is not known here.
    """
    named = pack.card.get("chat")
    if named is not None:
        if named not in TEMPLATES:
            raise PackError(
                f"{pack.folder / 'rsvlm.json'} names chat {named!r}; "
                f"take one of {', '.join(TEMPLATES)}"
            )
        return TEMPLATES[named]
    own = _chat_template(pack)
    if own is not None and pack.model_type in _OWN:
        try:
            import jinja2.sandbox  # noqa: F401
        except ImportError:
            pass
        else:
            return lambda question: render_jinja(own, question, _special_tokens(pack))
    return TEMPLATES[pack.model_type]


def render_jinja(template: str, question: str, special: Mapping[str, str]) -> str:
    """Render a chat template for one image and one question, in a sandbox.

    Args:
        template: Jinja source, as in ``tokenizer_config.json``.
        question: The user's words.
        special: ``bos_token`` and its like.

    Raises:
        PackError: The template fails.
    """
    import jinja2
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def refuse(message: str) -> str:
        raise jinja2.TemplateError(message)

    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.globals["raise_exception"] = refuse
    content = [{"type": "image"}, {"type": "text", "text": question}]
    try:
        text = environment.from_string(template).render(
            messages=[{"role": "user", "content": content}],
            add_generation_prompt=True,
            **special,
        )
    except jinja2.TemplateError as error:
        raise PackError(
            f"the pack's chat_template fails: {error}; import the pack again"
        ) from error
    return text.replace("<|image_pad|>", IMAGE)


def _chat_template(pack: Pack) -> str | None:
    path = pack.folder / "chat_template.jinja"
    if path.is_file():
        pack.check_file(path)
        return path.read_text(encoding="utf-8")
    for name in ("chat_template", "processor_config", "tokenizer_config"):
        said: Any = pack.settings.get(name, {}).get("chat_template")
        if isinstance(said, str):
            return said
        if isinstance(said, list):
            for row in said:
                if isinstance(row, dict) and row.get("name") == "default":
                    return str(row.get("template"))
    return None


def _special_tokens(pack: Pack) -> dict[str, str]:
    found = {}
    for name in ("bos_token", "eos_token", "pad_token", "unk_token"):
        said = pack.settings.get("tokenizer_config", {}).get(name)
        if isinstance(said, dict):
            said = said.get("content")
        if isinstance(said, str):
            found[name] = said
    return found
