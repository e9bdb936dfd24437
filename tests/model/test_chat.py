"""The words around a question, byte by byte, and the tokens they become."""

from __future__ import annotations

import json
from pathlib import Path

import make
import numpy as np
import pytest

from rsvlm_geo.errors import PackError
from rsvlm_geo.model.chat import TEMPLATES, pick_template, render_jinja
from rsvlm_geo.model.families import expand_crops, mrope_positions
from rsvlm_geo.model.generic import GenericVlm
from rsvlm_geo.model.pack import load_pack
from rsvlm_geo.model.preprocess import Prepared
from rsvlm_geo.model.tokenizer import TextCodec

VICUNA = (
    "A chat between a curious user and an artificial intelligence assistant. The assistant gives "
    "helpful, detailed, and polite answers to the user's questions. USER: <image>\n"
    "{IDK} Is there a ship? ASSISTANT:"
)
SMOLVLM = (
    "<|im_start|>{% for message in messages %}{{message['role'] | capitalize}}"
    "{% if message['content'][0]['type'] == 'image' %}{{':'}}{% else %}{{': '}}{% endif %}"
    "{% for line in message['content'] %}{% if line['type'] == 'text' %}{{line['text']}}"
    "{% elif line['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}<end_of_utterance>\n"
    "{% endfor %}{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
)
QWEN = (
    "{% for message in messages %}{% if loop.first and message['role'] != 'system' %}"
    "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n{% endif %}"
    "<|im_start|>{{ message['role'] }}\n{% for content in message['content'] %}"
    "{% if content['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% else %}{{ content['text'] }}{% endif %}{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def test_vicuna_is_the_original_to_the_byte() -> None:
    assert TEMPLATES["vicuna_v1"]("{IDK} Is there a ship?") == VICUNA
    assert TEMPLATES["plain"]("") == "<image>"
    assert TEMPLATES["llava"]("Hi") == "USER: <image>\nHi ASSISTANT:"
    assert TEMPLATES["paligemma"]("caption en") == "<image><bos>caption en\n"


@pytest.mark.parametrize(("name", "source"), [("smolvlm", SMOLVLM), ("qwen2_vl", QWEN)])
def test_written_out_templates_equal_the_packs_own(name: str, source: str) -> None:
    pytest.importorskip("jinja2")
    for question in ("Can you describe this image?", "a\nb", "{{ 7 * 7 }}", "<|im_end|>"):
        assert render_jinja(source, question, {}) == TEMPLATES[name](question)


def test_a_template_is_text_and_nothing_else() -> None:
    pytest.importorskip("jinja2")
    for source in (
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ raise_exception('no') }}",
        "{% for x in %}",
        "{{ messages.append(1) }}",
    ):
        with pytest.raises(PackError, match="chat_template fails"):
            render_jinja(source, "Hi", {})


def test_which_template_a_pack_gets(tmp_path: Path) -> None:
    folder = make.write_toy_pack(tmp_path / "toy")
    assert pick_template(load_pack(folder))("Q") == "USER: <image>\nQ ASSISTANT:"
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    own = settings | {"chat_template": "{{ bos_token }}<image>{{ messages[0].content[1].text }}"}
    (folder / "tokenizer_config.json").write_text(json.dumps(own))
    pytest.importorskip("jinja2")
    assert pick_template(load_pack(folder))("Q") == "<bos><image>Q"
    make.write_card(folder, {"chat": "vicuna_v1"})
    assert pick_template(load_pack(folder))("{IDK} Is there a ship?") == VICUNA
    make.write_card(folder, {"chat": "nonsense"})
    with pytest.raises(PackError, match="names chat 'nonsense'; take one of vicuna_v1"):
        pick_template(load_pack(folder))


def sentencepiece_like(folder: Path, *, legacy: bool) -> None:
    """A LLaMA tokenizer in small: words start with a bar; legacy ones also after special tokens."""
    from tokenizers import (
        AddedToken,
        Tokenizer,
        decoders,
        models,
        normalizers,
        pre_tokenizers,
        processors,
    )

    pieces = ["<unk>", "<s>", "</s>", "<image>", "▁", "\n", *"abcdefghijklmnopqrstuvwxyzASUERTN:?."]
    tokenizer = Tokenizer(models.BPE({p: i for i, p in enumerate(pieces)}, [], unk_token="<unk>"))
    if legacy:
        tokenizer.normalizer = normalizers.Sequence(
            [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
        )
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_special_tokens(
        [AddedToken(t, normalized=False, special=True) for t in ("<s>", "</s>", "<image>")]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", 1)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {"bos_token": "<s>", "eos_token": "</s>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


@pytest.mark.parametrize("legacy", [True, False])
def test_chunks_are_tokenised_by_themselves(tmp_path: Path, legacy: bool) -> None:
    """VHM's trap: the chunk after the image starts with a space piece of its own."""
    folder = make.write_toy_pack(tmp_path / "toy")
    sentencepiece_like(folder, legacy=legacy)
    config = {"model_type": "llava", "image_token_id": 3, "eos_token_id": 2}
    (folder / "config.json").write_text(json.dumps(config))
    make.write_card(folder, {"chat": "llava", "tokenise": "chunks"})
    runtime = GenericVlm(load_pack(folder), threads=1).runtime
    ids = runtime._prompt_ids("is it?", Prepared(np.zeros((1, 3, 8, 8), np.float32)), 4).tolist()
    codec = runtime.codec
    words = [codec.token(i) for i in ids]
    assert words[0] == "<s>" and words.count("<s>") == 1
    at = words.index("<image>")
    assert words[at : at + 4] == ["<image>"] * 4
    assert words[at - 2 : at] == [":", "▁"]
    assert words[at + 4 : at + 8] == ["▁", "\n", "i", "s"]


def test_one_go_drops_the_piece_where_the_tokenizer_is_not_legacy(tmp_path: Path) -> None:
    pieces = {}
    for legacy in (True, False):
        folder = make.write_toy_pack(tmp_path / f"toy{legacy}")
        sentencepiece_like(folder, legacy=legacy)
        codec = TextCodec(load_pack(folder))
        pieces[legacy] = [codec.token(i) for i in codec.encode("a <image>\nb")]
    assert pieces[True] == ["<s>", "▁", "a", "▁", "<image>", "▁", "\n", "b"]
    assert pieces[False] == ["<s>", "▁", "a", "▁", "<image>", "\n", "b"]


def test_bos_comes_once(tmp_path: Path) -> None:
    folder = make.write_toy_pack(tmp_path / "toy")
    make.write_tokenizer(folder, bos=True)
    codec = TextCodec(load_pack(folder))
    assert codec.encode("Hi")[0] == 257 and codec.encode("<bos>Hi") == codec.encode("Hi")
    assert codec.decode(codec.encode("Hé ✈")) == "Hé ✈"


def test_crops_are_named_by_place() -> None:
    pixels = np.zeros((1, 3, 3, 2, 2), np.float32)
    frame = "<fake_token_around_image>"
    two = Prepared(pixels, np.ones((1, 3, 2, 2), bool), crops=(1, 2))
    assert expand_crops(two, 2) == (
        f"{frame}<row_1_col_1><image><image>{frame}<row_1_col_2><image><image>\n\n"
        f"{frame}<global-img><image><image>{frame}"
    )
    whole = Prepared(pixels[:, :1], np.ones((1, 1, 2, 2), bool))
    assert expand_crops(whole, 1) == f"{frame}<global-img><image>{frame}"


@pytest.mark.export
@pytest.mark.parametrize("grid", [(1, 4, 6), (1, 8, 8)])
def test_crop_text_and_positions_equal_transformers(grid: tuple[int, int, int]) -> None:
    torch = pytest.importorskip("torch")
    from rsvlm_geo.export.tiny import tiny_model

    model = tiny_model("qwen2_vl")
    tokens = grid[1] * grid[2] // 4
    ids = np.array([5, 6, 260, *[259] * tokens, 261, 7, 8, 9], np.int64)
    wanted, _ = model.model.get_rope_index(
        input_ids=torch.from_numpy(ids[None]),
        mm_token_type_ids=torch.from_numpy((ids[None] == 259).astype(np.int32)),
        image_grid_thw=torch.tensor([grid]),
        attention_mask=torch.ones(1, len(ids), dtype=torch.int64),
    )
    got = mrope_positions(ids, 259, np.array([grid]), 2)
    assert (got == wanted[:, 0].numpy()).all()
