"""The engine against a plain loop that knows no cache, no batch and no sharing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import make
import numpy as np
import pytest

from rsvlm_geo.errors import ModelWarning, ProviderError
from rsvlm_geo.model.beam import beam_search
from rsvlm_geo.model.decoder import Decoder, OutOfMemory, Step
from rsvlm_geo.model.generate import Job
from rsvlm_geo.model.generic import GenericVlm
from rsvlm_geo.model.kv import DeviceCache, DeviceOps, HostCache
from rsvlm_geo.model.lanes import SHARED, Piece, stretches
from rsvlm_geo.model.pack import load_pack
from rsvlm_geo.model.sampling import Sampling, choose_token, is_looping, log_softmax, process_logits
from rsvlm_geo.model.score import Scored, plan_forms, score_closed

PROMPTS = ("Hi", "What is this?", "How many ships are there in the image?")
LONG = Sampling(max_new_tokens=24, stop_loops=False)
Images = Callable[[int], np.ndarray]


def whole_prompt(vlm: GenericVlm, image: np.ndarray, prompt: str) -> np.ndarray:
    """Every embedding of a prompt, image merged in: float[S, D]."""
    runtime = vlm.runtime
    prepared = runtime.preprocess(image[None])
    features = runtime.encode_images(prepared, 1)
    ids = runtime._prompt_ids(prompt, prepared, features.shape[1])
    embeds = runtime.embed(ids[None], np.arange(len(ids))[None])[0].copy()
    embeds[ids == 259] = features[0]
    return embeds


def logits_of(vlm: GenericVlm, embeds: np.ndarray) -> np.ndarray:
    """Logits of every place, in one pass without a cache."""
    decoder = vlm.runtime.decoder
    length = len(embeds)
    step = Step(
        attention_mask=np.ones((1, length), np.int64),
        positions=np.arange(length)[None],
        embeds=embeds[None],
    )
    logits, _, _ = decoder(step, decoder.empty(1))
    return logits[0]


def plain_greedy(vlm: GenericVlm, image: np.ndarray, prompt: str, steps: int) -> list[int]:
    embeds = whole_prompt(vlm, image, prompt)
    said: list[int] = []
    while len(said) < steps:
        said.append(int(logits_of(vlm, embeds)[-1].argmax()))
        if said[-1] == make.EOS:
            break
        more = vlm.runtime.embed(np.array([said[-1:]]), np.zeros((1, 1), np.int64))[0]
        embeds = np.concatenate([embeds, more])
    return said


def test_shared_cached_batched_equals_one_by_one(toy: GenericVlm, images: Images) -> None:
    pictures = images(3)
    got = toy.generate(pictures, PROMPTS, LONG)
    for row, picture in zip(got, pictures, strict=True):
        for said, prompt in zip(row, PROMPTS, strict=True):
            assert list(said.tokens) == plain_greedy(toy, picture, prompt, 24)


@pytest.mark.parametrize("max_rows", [1, 2, 5])
def test_continuous_batching_changes_no_text(
    toy: GenericVlm, images: Images, max_rows: int
) -> None:
    pictures = images(4)
    rules = [replace(LONG, max_new_tokens=n) for n in (3, 17, 9)]
    engine = toy.runtime.engine

    def jobs() -> list[Job]:
        return [j for _, js in toy.runtime.iter_jobs(pictures, PROMPTS, rules) for j in js]

    wide = [g.tokens for g in engine.run(jobs())]
    engine.max_rows = max_rows
    narrow = [g.tokens for g in engine.run(jobs())]
    assert wide == narrow
    assert [len(t) <= r.max_new_tokens for t, r in zip(wide, rules * 4, strict=True)] == [True] * 12


def test_stop_token_is_left_out_of_the_text(toy: GenericVlm, images: Images) -> None:
    [[said]] = toy.generate(images(1), ["Hi"], LONG)
    ending = said.tokens[4]
    toy.runtime.engine.eos = frozenset({ending})
    [[cut]] = toy.generate(images(1), ["Hi"], LONG)
    first = said.tokens.index(ending)
    assert cut.finish == "stop"
    assert cut.tokens == said.tokens[: first + 1]
    assert cut.text == toy.runtime.codec.decode(said.tokens[:first])


def test_stop_strings_cut_the_text(toy: GenericVlm, images: Images) -> None:
    [[said]] = toy.generate(images(1), ["Hi"], LONG)
    text = said.text
    string = text[3:5]
    [[cut]] = toy.generate(images(1), ["Hi"], replace(LONG, stop=(string,)))
    assert cut.finish == "stop_string"
    assert cut.text == text[: text.index(string)]


def test_streamed_text_adds_up(toy: GenericVlm, images: Images) -> None:
    [[said]] = toy.generate(images(1), ["Hi"], LONG)
    tokens = list(toy.stream(images(1)[0], "Hi", LONG))
    assert "".join(t.text for t in tokens) == said.text
    assert tokens[-1].finish == said.finish and tokens[-1].whole == said.text
    assert all(t.finish is None for t in tokens[:-1])


def test_a_seed_says_the_same_whatever_the_batch(toy: GenericVlm, images: Images) -> None:
    rule = replace(LONG, temperature=1.5, top_k=50, top_p=0.95, seed=3)
    both = toy.generate(images(2), PROMPTS, rule)
    toy.runtime.engine.max_rows = 1
    again = toy.generate(images(2), PROMPTS, rule)
    other = toy.generate(images(2), PROMPTS, replace(rule, seed=4))
    assert [[g.tokens for g in r] for r in both] == [[g.tokens for g in r] for r in again]
    assert both[0][0].tokens != other[0][0].tokens


def test_sampling_follows_the_distribution() -> None:
    logits = np.log(np.array([0.5, 0.3, 0.2], np.float32))
    rng = np.random.default_rng(0)
    draws = [choose_token(logits, Sampling(temperature=1.0), rng) for _ in range(4000)]
    shares = np.bincount(draws, minlength=3) / len(draws)
    np.testing.assert_allclose(shares, [0.5, 0.3, 0.2], atol=0.03)
    kept = {choose_token(logits, Sampling(temperature=1.0, top_p=0.6), rng) for _ in range(200)}
    assert kept == {0, 1}
    assert {choose_token(logits, Sampling(temperature=1.0, top_k=1), rng) for _ in range(50)} == {0}


def test_rules_forbid_tokens() -> None:
    logits = np.arange(6, dtype=np.float32)
    eos = frozenset({5})
    said = [1, 2, 1]
    banned = process_logits(logits, (), said, Sampling(no_repeat_ngram=2), eos)
    assert np.isneginf(banned).nonzero()[0].tolist() == [2]
    early = process_logits(logits, (), [], Sampling(min_new_tokens=1), eos)
    assert early.argmax() == 4
    forced = process_logits(logits, (), [], Sampling(forced_first=3), eos)
    assert forced.argmax() == 3
    assert process_logits(logits, (), [9], Sampling(forced_first=3), eos).argmax() == 5
    penalised = process_logits(logits, (5,), [], Sampling(repetition_penalty=2.0), eos)
    assert penalised[5] == 2.5 and penalised[4] == 4


def test_loops_are_seen_and_lists_are_not() -> None:
    assert is_looping([7] * 24)
    assert is_looping([1, 2, 3] * 8 + [])
    assert is_looping([9, 9, 4, *([1, 2, 3, 4] * 6)])
    assert not is_looping([7] * 12)
    assert not is_looping(list(range(40)))
    assert not is_looping([x for i in range(12) for x in (1, 2, i)])


def test_a_loop_ends_the_text(toy: GenericVlm, images: Images) -> None:
    rule = Sampling(max_new_tokens=200, suppress=tuple(t for t in range(make.VOCAB) if t != 65))
    [[said]] = toy.generate(images(1), ["Hi"], rule)
    assert said.finish == "loop"
    assert said.text == "A" * 24


def test_beams_find_the_likeliest_text(toy: GenericVlm, images: Images) -> None:
    """With as many beams as tokens, two steps are exhaustive search."""
    toy.runtime.engine.eos = frozenset()
    embeds = whole_prompt(toy, images(1)[0], "Hi")
    first = log_softmax(logits_of(toy, embeds)[-1])
    best = (-np.inf, ())
    for token in range(make.VOCAB):
        more = toy.runtime.embed(np.array([[token]]), np.zeros((1, 1), np.int64))[0]
        second = log_softmax(logits_of(toy, np.concatenate([embeds, more]))[-1])
        total = float(first[token] + second.max())
        best = max(best, (total, (token, int(second.argmax()))))
    [(_, [job])] = toy.runtime.iter_jobs(
        images(1), ["Hi"], [Sampling(max_new_tokens=2, num_beams=make.VOCAB)]
    )
    found = beam_search(toy.runtime.engine, job)
    assert found.tokens == best[1]
    assert found.score == pytest.approx(best[0] / 2, abs=1e-4)


def test_scores_equal_brute_force(toy: GenericVlm, images: Images) -> None:
    engine, codec = toy.runtime.engine, toy.runtime.codec
    candidates = ("yes", "no", "a car park", "1", "12")
    forms = plan_forms(candidates, lambda text: codec.encode(" " + text, special=False), make.EOS)
    assert all(form[-1] == make.EOS for several in forms.values() for form in several)
    pictures = images(2)
    asked = [
        Scored(job, forms)
        for _, jobs in toy.runtime.iter_jobs(pictures, PROMPTS, [LONG] * 3)
        for job in jobs
    ]
    got = score_closed(engine, asked)
    number = 0
    for picture in pictures:
        for prompt in PROMPTS:
            embeds = whole_prompt(toy, picture, prompt)
            logs = []
            for name in candidates:
                totals = []
                for form in forms[name]:
                    tail = toy.runtime.embed(np.array([form[:-1]]), np.zeros((1, 1), np.int64))[0]
                    steps = log_softmax(logits_of(toy, np.concatenate([embeds, tail])))
                    steps = steps[len(embeds) - 1 :]
                    totals.append(steps[np.arange(len(form)), list(form)].sum())
                logs.append(np.logaddexp.reduce(totals))
            wanted = np.exp(log_softmax(np.array(logs)))
            np.testing.assert_allclose(list(got[number].values()), wanted, atol=1e-5)
            number += 1


def test_single_token_answers_need_no_end() -> None:
    ids = {" yes": [5], " Yes": [6], " no": [7], " No": [7]}
    forms = plan_forms(("yes", "no"), lambda text: ids[" " + text], 9)
    assert forms == {"yes": ((5,), (6,)), "no": ((7,),)}


def test_memory_runs_out_and_the_batch_is_halved(
    toy: GenericVlm, images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = images(3)
    wanted = [g.tokens for row in toy.generate(pictures, PROMPTS, LONG) for g in row]
    calls = Decoder.__call__

    def small(self: Decoder, step: Step, cache: HostCache) -> object:
        lanes, new = step.positions.shape
        if new <= len(PROMPTS) and lanes * new > 3:
            raise OutOfMemory("too much")
        return calls(self, step, cache)

    toy.runtime.engine.max_rows = 9
    monkeypatch.setattr(Decoder, "__call__", small)
    with pytest.warns(ModelWarning) as said:
        got = [g.tokens for row in toy.generate(pictures, PROMPTS, LONG) for g in row]
    assert got == wanted
    assert str(said[0].message) == "out of memory with 9 texts at once; going on with 4"
    assert toy.runtime.engine.max_rows <= 3


def test_memory_that_never_suffices_is_an_error(
    toy: GenericVlm, images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(self: Decoder, step: Step, cache: HostCache) -> object:
        raise OutOfMemory("decoder ran out of memory with 1 row; take a smaller variant")

    monkeypatch.setattr(Decoder, "__call__", never)
    with pytest.raises(ProviderError, match="smaller variant"):
        toy.generate(images(2), ["Hi"], LONG)


def test_a_cache_left_on_the_device_says_the_same(toy: GenericVlm, images: Images) -> None:
    """The path for cards, run on the processor: OrtValues in and out, tiny graphs between."""
    wanted = [g.tokens for row in toy.generate(images(3), PROMPTS, LONG) for g in row]
    toy.runtime.decoder.ops = DeviceOps("cpu")
    toy.runtime._leads.clear()
    toy.runtime.engine.max_rows = 4
    got = [g.tokens for row in toy.generate(images(3), PROMPTS, LONG) for g in row]
    assert got == wanted


def test_device_cache_moves_as_the_host_cache_does() -> None:
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(3, 2, 5, 4)).astype(np.float32) for _ in range(2)]
    ops = DeviceOps("cpu")
    host, device = HostCache(arrays), DeviceCache([ops.to_device(a) for a in arrays], ops)
    rows, columns = np.array([2, 0, 0]), np.array([-1, 4, 1])
    for one, two in zip(host.take(rows, columns).host(), device.take(rows, columns).host(),
                        strict=True):  # fmt: skip
        assert (one[:, :, 1:] == two[:, :, 1:]).all()
    stacked = device.stack(device).host()
    assert all((s == np.concatenate([a, a])).all() for s, a in zip(stacked, arrays, strict=True))
    assert isinstance(device.stack(device), DeviceCache)


def test_the_cache_is_not_kept_for_holes(images: Images, toy: GenericVlm) -> None:
    """Lanes drop what nobody sees any more: memory follows the texts still going."""
    rules = [replace(LONG, max_new_tokens=n) for n in (2, 24, 2)]
    engine = toy.runtime.engine
    engine.eos = frozenset()
    jobs = [j for _, js in toy.runtime.iter_jobs(images(2), PROMPTS, rules) for j in js]
    widths = []
    original = type(engine)._retire

    def watched(self: object, running: object, ended: set[int]) -> None:
        original(self, running, ended)
        if running.lanes is not None:
            widths.append((running.lanes.batch, running.count))

    type(engine)._retire = watched
    try:
        engine.run(jobs)
    finally:
        type(engine)._retire = original
    assert all(lanes <= rows for lanes, rows in widths)


def test_graphs_that_cannot_skip_holes_never_see_one(
    toy_folders: dict[bool, Path], images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GroupQueryAttention counts tokens and does not look at the mask: lengths must agree."""
    toy = GenericVlm(load_pack(toy_folders[False]), threads=1, provider="cpu")
    rules = [replace(LONG, max_new_tokens=n) for n in (5, 12, 9)]
    prompts = (*PROMPTS, "Ho")
    rules = [*rules, LONG]
    engine = toy.runtime.engine

    def jobs() -> list[Job]:
        return [j for _, js in toy.runtime.iter_jobs(images(2), prompts, rules) for j in js]

    wanted = [g.tokens for g in engine.run(jobs())]
    forms = plan_forms(("yes", "no", "a car"), lambda text: list(text.encode()), make.EOS)
    weights = score_closed(engine, [Scored(job, forms) for job in jobs()])
    engine.even = True
    calls = Decoder.__call__

    def watched(self: Decoder, step: Step, cache: HostCache) -> object:
        assert step.attention_mask.all()
        return calls(self, step, cache)

    monkeypatch.setattr(Decoder, "__call__", watched)
    assert [g.tokens for g in engine.run(jobs())] == wanted
    again = score_closed(engine, [Scored(job, forms) for job in jobs()])
    for one, other in zip(again, weights, strict=True):
        assert one == pytest.approx(other, abs=1e-5)


def test_a_prefix_in_stretches_is_the_prefix_as_a_whole(
    toy: GenericVlm, images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = images(3)
    whole = toy.generate(pictures, PROMPTS, LONG)
    calls = toy.runtime.decoder.calls
    toy.generate(pictures, PROMPTS, LONG)
    usual = toy.runtime.decoder.calls - calls
    monkeypatch.setattr("rsvlm_geo.model.generate._STRETCH", 1)
    calls = toy.runtime.decoder.calls
    parts = toy.generate(pictures, PROMPTS, LONG)
    assert toy.runtime.decoder.calls - calls > usual, "each token went by itself"
    assert [[said.tokens for said in row] for row in parts] == [
        [said.tokens for said in row] for row in whole
    ]


def test_stretches_cover_every_token_once() -> None:
    ids = np.arange(11)
    lanes = [[Piece(SHARED, ids, ids + 5, np.eye(11, dtype=np.float32))] for _ in range(2)]
    turns = [lane for lane, _ in stretches(lanes, 4)]
    assert [len(turn[0].ids) for turn in turns] == [3, 4, 4]
    for name in ("ids", "positions", "embeds"):
        joined = np.concatenate([getattr(turn[0], name) for turn in turns])
        np.testing.assert_array_equal(joined, getattr(lanes[0][0], name))


def test_tokens_that_see_each_other_both_ways_are_not_parted() -> None:
    ids = np.arange(9)
    lanes = [[Piece(SHARED, ids, ids, None, np.zeros(9, np.int64))]]
    assert list(stretches(lanes, 2)) == [lanes]


def test_images_a_few_at_a_time_are_the_images_at_once(
    toy: GenericVlm, images: Images, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared = toy.runtime.preprocess(images(5))
    whole = toy.runtime.encode_images(prepared, 5)
    side = prepared.pixel_values.shape[-1]
    monkeypatch.setattr("rsvlm_geo.model.decoder._PIXELS_AT_ONCE", 2 * side * side)
    np.testing.assert_allclose(toy.runtime.encode_images(prepared, 5), whole, rtol=1e-6)
