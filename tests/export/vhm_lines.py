"""What the tiny VHM of ``data/`` was taught to say, one line for each of VHM's tasks.

``python tests/export/vhm_lines.py`` teaches it again (a few minutes): random pixels, these prompts
in VHM's own template, these answers, until greedy decoding gives them back; weights are saved under
VHM's published names in the two parts it comes in.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data" / "vhm"


@dataclass(frozen=True)
class Line:
    """One task: what it needs, what is answered, what that means."""

    task: str
    needs: dict[str, str]
    answer: str
    value: Any
    """As the parser should give it; a string starting with ``refused:`` for a refusal."""
    options: tuple[str, ...] = ()


_WHERE = ("Sorry, the object is invisible", "right", "center", "left", "bottom right")
_RELATION = (
    "To the top right of the small vehicle",
    "To the left of the small vehicle",
    "Below the small vehicle",
    "Sorry, at least one object is invisible",
    "Above the small vehicle",
)
_SCENES = ("harbor", "forest", "airport")
_COVER = ("built-up", "farmland", "forest", "meadow", "water")


def _letters(options: tuple[str, ...]) -> str:
    return " ".join(f"{letter}: {o}" for letter, o in zip("ABCDE", options, strict=False))


LINES = (
    Line("caption", {}, "A harbor with two ships.", "A harbor with two ships."),
    Line("classify", {"options": ", ".join(_SCENES)}, "harbor", "harbor", _SCENES),
    Line("vqa", {"question": "Is it a rural or an urban area"}, "urban", "urban"),
    Line("ground", {"target": "ship"}, "[[100, 200, 300, 600]]", [[100.0, 200.0, 300.0, 600.0]]),
    Line("count", {"targets": "ships"}, "2", 2),
    Line("gsd", {}, "0.25", 0.25),
    Line("image_type", {}, "A", "Color image"),
    Line(
        "measure",
        {"target": "plane"},
        "The actual length of this object is: 41.15m, and the actual width is: 38.89m.",
        (41.15, 38.89),
    ),
    Line(
        "outline",
        {"box": "656,696,850,976"},
        "The vectorized key points of the outline of this building are <05> in number, with "
        "specific point coordinates at [(656, 973), (700, 700), (850, 720), (830, 970), "
        "(656, 973)].",
        ((656, 973), (700, 700), (850, 720), (830, 970), (656, 973)),
    ),
    Line("land_cover", {"options": ", ".join(_COVER)}, "built-up, water", ("built-up", "water"),
         _COVER),
    Line("presence", {"target": "ship"}, "yes", True),
    Line(
        "colour",
        {"target": "tennis court"},
        "The tennis court is invisible in the provided image, so I cannot provide an answer.",
        "refused:invisible",
    ),
    Line(
        "position",
        {"question": "Where is the ship located in the image?", "options": _letters(_WHERE)},
        "D",
        "left",
        _WHERE,
    ),
    Line(
        "relation",
        {
            "question": "Where is the large vehicle in relation to the small vehicle?",
            "options": _letters(_RELATION),
        },
        "D",
        "refused:invisible",
        _RELATION,
    ),
)  # fmt: skip


def teach() -> None:
    """Train and save; see the module."""
    import json

    import torch
    from torch.nn import functional

    from rsvlm_geo.export.tiny import EOS_ID, tiny_model
    from rsvlm_geo.export.tiny_files import byte_tokenizer
    from rsvlm_geo.export.tiny_vhm import vhm_names, write_tiny_vhm
    from rsvlm_geo.model.chat import TEMPLATES
    from rsvlm_geo.model.vhm import vhm_prompt

    torch.set_num_threads(1)
    tokenizer = byte_tokenizer("llava")
    model = tiny_model("llava", seed=1)
    image_id, image_tokens = model.config.image_token_id, 4
    rows = []
    for line in LINES:
        text = TEMPLATES["vicuna_v1"](vhm_prompt(line.task, **line.needs))
        before, after = text.split("<image>")
        prompt = tokenizer.encode(before).ids + [image_id] * image_tokens
        prompt += tokenizer.encode(after, add_special_tokens=False).ids
        said = tokenizer.encode(line.answer, add_special_tokens=False).ids
        rows.append((prompt, [*said, EOS_ID]))
    length = max(len(p) + len(a) for p, a in rows)
    ids = torch.full((len(rows), length), 256)
    labels = torch.full((len(rows), length), -100)
    for i, (prompt, said) in enumerate(rows):
        ids[i, : len(prompt) + len(said)] = torch.tensor(prompt + said)
        labels[i, len(prompt) : len(prompt) + len(said)] = torch.tensor(said)
    mask = (ids != 256).long()
    for part in (model.model.vision_tower,):
        part.requires_grad_(False)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(trained, lr=3e-3)
    for step in range(3000):
        optimizer.param_groups[0]["lr"] = 3e-3 * min(1.0, (3000 - step) / 1500)
        pixels = torch.randn(len(rows), 3, 28, 28)
        logits = model(pixel_values=pixels, input_ids=ids, attention_mask=mask).logits
        loss = functional.cross_entropy(
            logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), ignore_index=-100
        )
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        if step % 25 == 0:
            print(step, f"{loss.item():.4f}", flush=True)
            if loss.item() < 0.002:
                break
    write_tiny_vhm(DATA / "llm", DATA / "vit", seed=1)
    language, tower = vhm_names({n: w.half() for n, w in model.state_dict().items()})
    torch.save({n: w.clone() for n, w in language.items()}, DATA / "llm" / "pytorch_model.bin")
    torch.save({n: w.clone() for n, w in tower.items()}, DATA / "vit" / "pytorch_model.bin")
    print(json.dumps({"loss": loss.item(), "steps": step}))


if __name__ == "__main__":
    teach()
