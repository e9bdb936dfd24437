"""Packs: what is read, what is refused, and what is never left behind."""

from __future__ import annotations

import json
import shutil
import struct
import zipfile
from pathlib import Path

import make
import numpy as np
import onnx
import pytest
from click.testing import CliRunner

from rsvlm_geo.errors import OutputError, PackError, UnknownModelError
from rsvlm_geo.model import load_model
from rsvlm_geo.model.cli import models
from rsvlm_geo.model.generic import GenericVlm
from rsvlm_geo.model.memory import available_memory, check_memory
from rsvlm_geo.model.onnxfile import read_graph_file, safe_relative
from rsvlm_geo.model.pack import load_pack
from rsvlm_geo.model.registry import find_pack, iter_packs
from rsvlm_geo.model.store import bundle_pack, import_pack, remove_pack, verify_pack

CARD = {"version": "2", "tasks": ["caption", "count"], "licence": "Apache-2.0",
        "classes": [{"name": "storage_tank", "synonyms": ["tank"], "size_m": 60}],
        "scales": [{"native_gsd_m": [0.1, 2], "gsd_m": [0.3, 1]}],
        "calibration": {"count": {"temperature": 2.0, "refuse_above": 0.7}}}  # fmt: skip


@pytest.fixture
def packs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for imported packs."""
    home = tmp_path / "packs"
    monkeypatch.setenv("RSVLM_PACKS", str(home))
    return home


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return make.write_toy_pack(tmp_path / "toy", card=CARD)


def left_behind(home: Path) -> list[str]:
    return sorted(p.name for p in home.iterdir()) if home.exists() else []


def test_the_card_says_what_it_may_be_asked(pack: Path) -> None:
    info = load_pack(pack).info
    assert info.tasks == {"caption", "count"} and info.version == "2"
    assert info.find_class("tanks") is not None
    assert info.gsd_range_m == (0.1, 2)
    assert info.refuse_above == {"count": 0.7}
    assert len(info.sha256) == 64


def test_a_folder_without_a_card_runs(tmp_path: Path) -> None:
    folder = make.write_toy_pack(tmp_path / "bare")
    info = load_model(folder, provider="cpu").info
    assert info.name == "bare" and info.provider == "cpu"
    assert info.image_size == 8 and "locate" not in info.tasks
    assert len(info.sha256) == 64


@pytest.mark.parametrize(
    "name", ["onnx/vision_encoder.onnx", "tokenizer.json", "config.json", "onnx/embed_tokens.onnx"]
)
def test_an_altered_file_is_named(pack: Path, name: str) -> None:
    path = pack / name
    raw = bytearray(path.read_bytes())
    raw[-3] ^= 1 if name.endswith("onnx") else 0
    path.write_bytes(bytes(raw) + (b"" if name.endswith("onnx") else b"\n"))
    with pytest.raises(PackError, match=rf"{Path(name).name} is not the file the pack was made"):
        load_model(pack)
    assert any(Path(name).name in problem for problem in verify_pack(pack))


@pytest.mark.parametrize(
    "name", ["onnx/vision_encoder.onnx", "tokenizer.json", "preprocessor_config.json"]
)
def test_a_missing_file_is_named(pack: Path, name: str) -> None:
    (pack / name).unlink()
    with pytest.raises(PackError, match=rf"{Path(name).name} is missing.*import or download"):
        load_pack(pack)


@pytest.mark.parametrize("part", ["vision_encoder", "embed_tokens", "decoder_model_merged"])
def test_a_missing_part_is_named(tmp_path: Path, part: str) -> None:
    folder = make.write_toy_pack(tmp_path / "bare")
    (folder / "onnx" / f"{part}.onnx").unlink()
    with pytest.raises(PackError, match=f"{part}|encoder_model"):
        load_model(folder)


def test_a_file_that_is_not_listed_is_not_used(pack: Path) -> None:
    shutil.copy(pack / "onnx/vision_encoder.onnx", pack / "onnx/vision_encoder_int8.onnx")
    with pytest.raises(PackError, match=r"vision_encoder_int8\.onnx is not listed"):
        load_pack(pack).graph("vision_encoder", variant="int8")
    assert any("not listed" in problem for problem in verify_pack(pack))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 2}, "newer than this program"),
        ({"sha256": {"../x": "0" * 64}}, r"outside of the pack"),
        ({"sha256": {"C:\\x": "0" * 64}}, r"outside of the pack"),
        ({"sha256": {"config.json": "zz"}}, "not 64 hex digits"),
        ({"image_size": 0}, "does not describe"),
        ({"image_size": 10**9}, "does not describe"),
        ({"classes": [{}]}, "does not describe"),
        ({"scales": [{"native_gsd_m": [2, 1], "gsd_m": [1, 1]}]}, "does not describe"),
    ],
)
def test_a_card_that_makes_no_sense(pack: Path, change: dict[str, object], message: str) -> None:
    path = pack / "rsvlm.json"
    card = json.loads(path.read_text())
    path.write_text(json.dumps(card | change))
    with pytest.raises(PackError, match=message):
        load_pack(pack)


@pytest.mark.parametrize("text", ["", "{", "[]", "\x00"])
def test_settings_that_are_not_json(tmp_path: Path, text: str) -> None:
    folder = make.write_toy_pack(tmp_path / "bare")
    (folder / "config.json").write_text(text)
    with pytest.raises(PackError, match=r"config\.json"):
        load_pack(folder)


def test_what_is_no_pack(tmp_path: Path) -> None:
    with pytest.raises(PackError, match=r"no config\.json"):
        load_pack(tmp_path)
    with pytest.raises(PackError, match="no model pack at"):
        load_pack(tmp_path / "nothing")
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(PackError, match="no onnx"):
        load_pack(tmp_path)


def test_another_architecture_is_named(pack: Path, tmp_path: Path) -> None:
    folder = make.write_toy_pack(tmp_path / "other")
    (folder / "config.json").write_text('{"model_type": "mamba"}')
    with pytest.raises(PackError, match=r"architecture 'mamba'.*take one of rsvlm_mini"):
        load_model(folder)


def test_a_tokenizer_of_another_model(tmp_path: Path) -> None:
    folder = make.write_toy_pack(tmp_path / "bare")
    special = {**make.SPECIAL, make.VOCAB + 3: "<more>"}
    make.write_tokenizer(folder, special)
    with pytest.raises(PackError, match=r"token 291.*embeds only 288.*another model"):
        load_model(folder)


def test_variants_by_suffix(tmp_path: Path) -> None:
    folder = make.write_toy_pack(tmp_path / "bare")
    for name in ("vision_encoder_fp16", "vision_encoder_int8", "decoder_model_merged_q4f16"):
        stem = name.rsplit("_", 1)[0]
        shutil.copy(folder / f"onnx/{stem}.onnx", folder / f"onnx/{name}.onnx")
    pack = load_pack(folder)
    assert pack.choose("vision_encoder") == "int8"
    assert pack.choose("vision_encoder", provider="cuda") == "fp16"
    assert pack.choose("vision_encoder", variant="fp32") == ""
    assert pack.choose("decoder_model_merged", provider="cuda") == ""
    with pytest.raises(PackError, match="no q4 variant of vision_encoder; take one of fp32"):
        pack.choose("vision_encoder", variant="q4")


def graph_with(tensor: onnx.TensorProto) -> onnx.ModelProto:
    from onnx import helper as h

    out = h.make_tensor_value_info("y", tensor.data_type, None)
    graph = h.make_graph([h.make_node("Identity", ["w"], ["y"])], "g", [], [out], [tensor])
    return h.make_model(graph, opset_imports=[h.make_opsetid("", 18)])


def outside(location: str) -> onnx.TensorProto:
    tensor = onnx.TensorProto(name="w", data_type=1, dims=[2], data_location=1)
    tensor.external_data.add(key="location", value=location)
    return tensor


@pytest.mark.parametrize(
    "location", ["../secret", "/etc/passwd", "a/../../b", "C:\\secret", "\\\\host\\share", ""]
)
def test_weights_outside_of_the_pack_are_refused(tmp_path: Path, location: str) -> None:
    (tmp_path.parent / "secret").write_bytes(b"12345678")
    path = tmp_path / "g.onnx"
    path.write_bytes(graph_with(outside(location)).SerializeToString())
    with pytest.raises(PackError, match=r"outside of the pack; refused"):
        read_graph_file(path)


def test_weights_behind_a_link_out_of_the_pack_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "pack" / "onnx"
    folder.mkdir(parents=True)
    (tmp_path / "secret").write_bytes(b"12345678")
    (folder / "g.onnx_data").symlink_to(tmp_path / "secret")
    (folder / "g.onnx").write_bytes(graph_with(outside("g.onnx_data")).SerializeToString())
    with pytest.raises(PackError, match=r"link to .*secret, outside of the pack"):
        read_graph_file(folder / "g.onnx")


def test_weights_that_are_missing_or_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "g.onnx"
    path.write_bytes(graph_with(outside("w.bin")).SerializeToString())
    with pytest.raises(PackError, match=r"w\.bin, which is missing"):
        read_graph_file(path)
    (tmp_path / "w.bin").write_bytes(b"123")
    with pytest.raises(PackError, match="ends at byte 8 of 3"):
        read_graph_file(path)
    (tmp_path / "w.bin").write_bytes(b"12345678")
    read = read_graph_file(path)
    assert read.external == ("w.bin",) and read.weight_bytes == 8


@pytest.mark.parametrize("dims", [[1 << 40, 1 << 20], [-1], [2] * 70])
def test_absurd_shapes_are_refused(tmp_path: Path, dims: list[int]) -> None:
    path = tmp_path / "g.onnx"
    tensor = onnx.TensorProto(name="w", data_type=1, dims=dims, raw_data=b"1234")
    path.write_bytes(graph_with(tensor).SerializeToString())
    with pytest.raises(PackError, match="absurd shape"):
        read_graph_file(path)


def test_a_shape_that_is_not_the_data(tmp_path: Path) -> None:
    path = tmp_path / "g.onnx"
    tensor = onnx.TensorProto(name="w", data_type=1, dims=[100], raw_data=b"1234")
    path.write_bytes(graph_with(tensor).SerializeToString())
    with pytest.raises(PackError, match=r"states shape \(100,\) \(400 bytes\) but holds 4"):
        read_graph_file(path)


def test_the_header_is_what_onnx_reads(pack: Path) -> None:
    for path in sorted((pack / "onnx").glob("*.onnx")):
        wanted = onnx.load(path)
        got = read_graph_file(path)
        assert got.opset == 18 and got.ir_version == wanted.ir_version
        held = {i.name: tuple(i.dims) for i in wanted.graph.initializer}
        assert got.initializers == held
        assert [i.name for i in got.inputs] == [
            i.name for i in wanted.graph.input if i.name not in held
        ]
        assert [o.name for o in got.outputs] == [o.name for o in wanted.graph.output]
        assert got.operators == {n.op_type for n in wanted.graph.node}
        assert got.weight_bytes == sum(len(i.raw_data) for i in wanted.graph.initializer)


def test_damaged_graphs_never_escape_as_something_else(pack: Path, tmp_path: Path) -> None:
    raw = (pack / "onnx/decoder_model_merged.onnx").read_bytes()
    rng = np.random.default_rng(0)
    path = tmp_path / "g.onnx"
    refused = 0
    for cut in [0, 1, 7, 100, len(raw) // 2, len(raw) - 1]:
        path.write_bytes(raw[:cut])
        with pytest.raises(PackError):
            read_graph_file(path)
    for _ in range(150):
        broken = bytearray(raw)
        for at in rng.integers(0, min(len(raw), 4000), 3):
            broken[at] = rng.integers(0, 256)
        path.write_bytes(bytes(broken))
        try:
            read_graph_file(path)
        except PackError:
            refused += 1
    assert refused > 20
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n")
    with pytest.raises(PackError, match="Git LFS"):
        read_graph_file(path)
    path.write_bytes(struct.pack("<Q", 2**63))
    with pytest.raises(PackError):
        read_graph_file(path)


@pytest.mark.parametrize("name", ["a/b.bin", "a.onnx_data", "a..b", "x/..y"])
def test_paths_that_stay_inside(name: str) -> None:
    assert safe_relative(name)


def test_a_model_that_does_not_fit_is_refused(pack: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (available_memory() or 1) > 0
    header = read_graph_file(pack / "onnx/vision_encoder.onnx")
    assert check_memory(pack, [header]) >= header.weight_bytes
    monkeypatch.setattr("rsvlm_geo.model.memory.available_memory", lambda: 10)
    with pytest.raises(PackError, match=r"needs about .* GB of memory.*smaller variant"):
        load_model(pack)


def test_import_find_show_remove(pack: Path, packs: Path) -> None:
    made = import_pack(pack)
    assert made.folder == packs / "toy" and find_pack("toy") == made.folder
    assert verify_pack(made.folder) == []
    assert load_model("toy").info.name == "toy"
    with pytest.raises(OutputError, match="already"):
        import_pack(pack)
    assert import_pack(pack, replace=True).folder == made.folder
    remove_pack("toy")
    assert left_behind(packs) == []
    with pytest.raises(UnknownModelError, match="no model 'toy'"):
        find_pack("toy")
    with pytest.raises(UnknownModelError):
        remove_pack("toy")


def test_a_folder_without_hashes_gets_them_on_import(tmp_path: Path, packs: Path) -> None:
    import_pack(make.write_toy_pack(tmp_path / "bare"))
    (packs / "bare/tokenizer.json").write_text("{}")
    with pytest.raises(PackError, match=r"tokenizer\.json is not the file"):
        load_model("bare")


@pytest.mark.parametrize("name", ["../x", ".x", "a/b", "", "a b"])
def test_names_that_are_none(pack: Path, packs: Path, name: str) -> None:
    with pytest.raises(PackError, match="no name"):
        import_pack(pack, name=name or " ")


def test_no_half_pack_is_left(pack: Path, packs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (pack / "tokenizer.json").write_text("{}")
    with pytest.raises(PackError):
        import_pack(pack)
    make.write_tokenizer(pack)
    make.write_card(pack, CARD)
    copied = []

    def full(source: Path, target: Path) -> None:
        copied.append(target)
        if len(copied) == 3:
            raise OSError(28, "No space left on device")
        target.write_bytes(Path(source).read_bytes())

    monkeypatch.setattr("rsvlm_geo.model.store.shutil.copyfile", full)
    with pytest.raises(OutputError, match="No space left"):
        import_pack(pack)
    assert len(copied) == 3
    assert left_behind(packs) == [] and "toy" not in [p.name for p in iter_packs()]


def test_bundle_round_trip(pack: Path, packs: Path, tmp_path: Path) -> None:
    bundle = bundle_pack(load_pack(pack), tmp_path)
    assert bundle.name == "toy.rsvlm"
    again = bundle_pack(load_pack(pack), tmp_path / "again.rsvlm")
    assert bundle.read_bytes() == again.read_bytes()
    made = import_pack(bundle)
    for path in sorted(p for p in pack.rglob("*") if p.is_file()):
        assert (made.folder / path.relative_to(pack)).read_bytes() == path.read_bytes()
    assert made.info.sha256 == load_pack(pack).info.sha256


def rewritten(bundle: Path, out: Path, change: dict[str, bytes | None], more: str = "") -> Path:
    with zipfile.ZipFile(bundle) as old, zipfile.ZipFile(out, "w") as new:
        for item in old.infolist():
            data = change.get(item.filename, old.read(item))
            if data is not None:
                new.writestr(item.filename, data)
        if more:
            new.writestr(more, b"x")
    return out


def test_bundles_that_are_not_what_they_say(pack: Path, packs: Path, tmp_path: Path) -> None:
    bundle = bundle_pack(load_pack(pack), tmp_path / "toy.rsvlm")
    raw = (pack / "tokenizer.json").read_bytes()
    manifest = json.loads(zipfile.ZipFile(bundle).read("rsvlm-bundle.json"))
    evil = json.loads(json.dumps(manifest))
    evil["files"]["../../evil"] = {"sha256": "0" * 64, "bytes": 1}
    cases = {
        "altered": rewritten(
            bundle, tmp_path / "1.rsvlm", {"tokenizer.json": raw[:-1] + b" "}
        ),
        "does not hold": rewritten(bundle, tmp_path / "2.rsvlm", {"tokenizer.json": None}),
        "another size": rewritten(bundle, tmp_path / "3.rsvlm", {"tokenizer.json": raw + b" "}),
        "unlisted": rewritten(bundle, tmp_path / "4.rsvlm", {}, more="extra.py"),
        "outside of the pack": rewritten(
            bundle, tmp_path / "5.rsvlm",
            {"rsvlm-bundle.json": json.dumps(evil).encode()}, more="../../evil",
        ),
        "it has no rsvlm-bundle": rewritten(
            bundle, tmp_path / "6.rsvlm", {"rsvlm-bundle.json": None}
        ),
    }  # fmt: skip
    (tmp_path / "7.rsvlm").write_bytes(bundle.read_bytes()[:-500])
    cases["cut off"] = tmp_path / "7.rsvlm"
    for message, path in cases.items():
        with pytest.raises(PackError, match=message):
            import_pack(path, name="toy")
    assert left_behind(packs) == []
    assert not (tmp_path / "evil").exists()


def test_the_command(pack: Path, packs: Path, tmp_path: Path) -> None:
    run = CliRunner()
    done = run.invoke(models, ["import", str(pack)])
    assert done.exit_code == 0 and "toy is ready" in done.output
    listed = json.loads(run.invoke(models, ["list", "--json"]).output)
    assert "toy" in [row["name"] for row in listed]
    shown = json.loads(run.invoke(models, ["show", "toy", "--json"]).output)
    assert shown["graphs"]["vision_encoder"]["fp32"]["opset"] == 18
    assert "Apache-2.0" in run.invoke(models, ["show", "toy"]).output
    assert run.invoke(models, ["verify", "toy"]).output == "toy: whole\n"
    made = run.invoke(models, ["bundle", "toy", "-o", str(tmp_path)])
    assert (tmp_path / "toy.rsvlm").is_file() and "toy.rsvlm" in made.output
    (packs / "toy/tokenizer.json").write_text("{}")
    broken = run.invoke(models, ["verify", "toy"])
    assert broken.exit_code == 1 and "broken" in broken.output
    assert "broken" in run.invoke(models, ["list"]).output or "toy" in broken.output
    assert run.invoke(models, ["remove", "toy"]).exit_code == 0
    assert left_behind(packs) == []


def test_generic_is_what_load_model_gives(pack: Path) -> None:
    assert isinstance(load_model(pack), GenericVlm)
