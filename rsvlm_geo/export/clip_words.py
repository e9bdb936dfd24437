"""CLIP's tokenizer from its published merges."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rsvlm_geo.errors import ExportError

__all__ = ["clip_tokenizer"]


def clip_tokenizer(merges: str | Path) -> Any:
    """CLIP's tokenizer from its ``bpe_simple_vocab_16e6.txt(.gz)``, as a ``tokenizers`` object.

    Raises:
        ExportError: It is not such a file.
    """
    import gzip

    from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers
    from tokenizers.models import BPE
    from tokenizers.processors import TemplateProcessing

    file = Path(merges).expanduser()
    try:
        raw = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        lines = raw.decode("utf-8").split("\n")[1 : 49152 - 256 - 2 + 1]
        pairs = [(a, b) for a, b in (line.split() for line in lines if line.strip())]
    except (OSError, ValueError, EOFError) as error:
        raise ExportError(f"{file} does not hold CLIP's merges ({error})") from error
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    other = [b for b in range(256) if b not in shown]
    alphabet = [chr(b) for b in shown] + [chr(256 + i) for i in range(len(other))]
    names = [*alphabet, *(c + "</w>" for c in alphabet), *(a + b for a, b in pairs)]
    names += ["<|startoftext|>", "<|endoftext|>"]
    vocab = {name: i for i, name in enumerate(names)}
    tokenizer = Tokenizer(
        BPE(vocab, pairs, end_of_word_suffix="</w>", fuse_unk=False, unk_token="<|endoftext|>")
    )
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    words = (
        r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]"
        r"|[^\s\p{L}\p{N}]+"
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(words), "removed", invert=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])  # fmt: skip
    tokenizer.post_processor = TemplateProcessing(
        single="<|startoftext|> $A <|endoftext|>",
        special_tokens=[(t, vocab[t]) for t in ("<|startoftext|>", "<|endoftext|>")],
    )
    tokenizer.add_special_tokens(["<|startoftext|>", "<|endoftext|>"])
    return tokenizer
