"""Write the whole pack: graphs, tokenizer, settings, calibration and the card with its hashes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import torch
from numpy.typing import NDArray

from rsvlm_geo.model.pack import hash_file
from rsvlm_geo.training import calibrate, data, export_pack, lexicon, splits, tiles, tokens
from rsvlm_geo.training.decoder import DecoderConfig, Talker
from rsvlm_geo.training.train_decoder import load_towers

NAME, VERSION = "rsvlm-mini", "1.0"
OBJECT_FACTS: dict[str, tuple[float, float, float]] = {
    # coarsest GSD, largest and smallest usual extent, all in metres
    "airplane": (1.0, 75.0, 8.0),
    "storage_tank": (1.0, 60.0, 5.0),
    "tennis_court": (1.0, 40.0, 20.0),
    "baseball_diamond": (1.0, 60.0, 30.0),
    "car": (0.35, 12.0, 3.0),
    "tree": (0.35, 15.0, 1.5),
    "ship": (0.6, 60.0, 4.0),
    "mobile_home": (0.6, 25.0, 9.0),
}
SYNONYMS = {
    name: sorted({w for pair in forms for w in pair} - {name.replace("_", " ")})
    for name, forms in lexicon.OBJECT_WORDS.items()
}
UCM_NAMES = {
    "agricultural": "farmland", "airplane": "airport_apron", "baseballdiamond": "baseball_field",
    "buildings": "large_buildings", "denseresidential": "dense_residential",
    "golfcourse": "golf_course", "mediumresidential": "medium_residential",
    "mobilehomepark": "mobile_home_park", "parkinglot": "parking_lot",
    "sparseresidential": "sparse_residential", "storagetanks": "storage_tanks",
    "tenniscourt": "tennis_courts",
}  # fmt: skip
EUROSAT_NAMES = {
    "AnnualCrop": "annual_crop", "HerbaceousVegetation": "herbaceous_vegetation",
    "PermanentCrop": "permanent_crop", "SeaLake": "sea_or_lake",
}  # fmt: skip


def scene_names() -> dict[str, list[str]]:
    """Names of the scene classes as the pack says them, in the order of the logits."""
    return {
        "fine": [UCM_NAMES.get(c, c.lower()) for c in splits.UCM_CLASSES],
        "coarse": [EUROSAT_NAMES.get(c, c.lower()) for c in splits.EUROSAT_CLASSES],
    }


def load_talker(path: Path) -> Talker:
    """The decoder with the EMA weights of a checkpoint."""
    talker = Talker(DecoderConfig(vocab=tokens.build().get_vocab_size()))
    talker.load_state_dict(torch.load(path, weights_only=False)["ema"])
    return talker.eval()


def open_vision(path: Path, threads: int) -> Any:
    """A vision graph as a function of uint8[B, 256, 256, 3]."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [o.name for o in session.get_outputs()]

    def run(images: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        x = images.transpose(0, 3, 1, 2).astype(np.float32)
        return dict(zip(names, session.run(names, {"pixel_values": (x - 127) / 128}), strict=True))

    return run


def calibration_tiles(data_dir: Path, n: int = 96) -> NDArray[np.uint8]:
    """Tiles of all sets for the int8 ranges, from the calibration split."""
    rng = np.random.default_rng(3)
    pools = tiles.object_samples(data_dir, "calib")
    pool = [*pools["trees"], *pools["cars"], *pools["ucm"]]
    for name in ("ucm", "eurosat"):
        some = [s for s in data.load_set(data_dir, name) if s.split == "calib"]
        pool += [some[i] for i in rng.permutation(len(some))[:60]]
    out = []
    for i in rng.permutation(len(pool))[:n]:
        image = calibrate.scene_tile(pool[i]) if pool[i].set == "eurosat" else pool[i].image
        cuts = tiles.plan(*image.shape[:2])
        out.append(tiles.window(image, cuts[rng.integers(len(cuts))]))
    return np.stack(out)


def write_graphs(
    work: Path, decoder: Path, folder: Path, data_dir: Path, *, int8: bool = True
) -> None:
    """Export both graphs and their variants into ``folder/onnx``."""
    onnx_dir = folder / "onnx"
    onnx_dir.mkdir(parents=True, exist_ok=True)
    graph, talker = load_towers(work), load_talker(decoder)
    full = work / "export"
    full.mkdir(exist_ok=True)
    export_pack.export_vision(graph, talker, full / "vision_encoder.onnx")
    export_pack.export_decoder(talker, full / "decoder_model_merged.onnx")
    for name in ("vision_encoder", "decoder_model_merged"):
        export_pack.store_half(full / f"{name}.onnx", onnx_dir / f"{name}.onnx")
    if int8:
        keep = ("/objects/heat", "/objects/edges", "/scene/trunk/stem", "/objects/trunk/stem")
        export_pack.quantise_vision(
            full / "vision_encoder.onnx", onnx_dir / "vision_encoder_int8.onnx",
            calibration_tiles(data_dir), keep,
        )  # fmt: skip


def write_settings(folder: Path) -> None:
    """tokenizer.json and the published layout's settings."""
    tokens.build().save(str(folder / "tokenizer.json"))
    cfg = DecoderConfig(vocab=tokens.build().get_vocab_size())
    vocab = tokens.build().get_vocab()
    files = {
        "config": {
            "model_type": "rsvlm_mini", "architectures": ["RsvlmMini"],
            "vision_config": {"image_size": 256, "towers": ["efficientnet_lite0"] * 2},
            "hidden_size": cfg.width, "num_hidden_layers": cfg.layers,
            "num_attention_heads": cfg.heads, "vocab_size": cfg.vocab,
            "max_position_embeddings": cfg.positions, "eos_token_id": vocab[tokens.EOS],
            "pad_token_id": vocab[tokens.PAD],
        },
        "generation_config": {"eos_token_id": vocab[tokens.EOS], "pad_token_id": vocab[tokens.PAD],
                              "do_sample": False, "max_new_tokens": 56},
        "preprocessor_config": {
            "do_resize": True, "size": {"height": 256, "width": 256}, "do_rescale": True,
            "rescale_factor": 1 / 255, "do_normalize": True, "image_mean": [127 / 255] * 3,
            "image_std": [128 / 255] * 3, "resample": 2,
        },
        "tokenizer_config": {"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": tokens.UNK,
                             "eos_token": tokens.EOS, "pad_token": tokens.PAD},
    }  # fmt: skip
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n")


def write_card(folder: Path, parts: dict[str, Any]) -> None:
    """rsvlm.json, with the sha256 of every other file; last."""
    card: dict[str, Any] = {
        "format": 1, "name": NAME, "version": VERSION, "licence": "CC-BY-4.0",
        "image_size": 256, "batch": 8,
        "tasks": ["ask", "caption", "classify", "count", "locate", "presence"],
        "classes": [
            {"name": c, "max_gsd_m": OBJECT_FACTS[c][0], "size_m": OBJECT_FACTS[c][1],
             "min_size_m": OBJECT_FACTS[c][2], "read_gsd_m": tiles.READ_GSD_M.get(c),
             "synonyms": SYNONYMS[c]}
            for c in splits.OFFERED
        ],
        "scene_classes": scene_names(),
        "scales": [
            {"native_gsd_m": [0.02, 1.0], "gsd_m": [0.10, 0.30], "scene_gsd_m": 0.3,
             "domain": "fine"},
            {"native_gsd_m": [5.0, 20.0], "gsd_m": [2.5, 2.5], "domain": "coarse"},
        ],
        "boxes": "pixels",
        "licences": {
            "weights": "CC-BY-4.0",
            "start": "EfficientNet-Lite0 ImageNet weights, Apache-2.0",
            "data": [
                "UC Merced Land Use: USGS imagery, public domain; our boxes CC0",
                "EuroSAT: MIT; contains modified Copernicus Sentinel data",
                "NEON tree crowns: imagery NEON (CC0), boxes Weinstein et al., CC-BY-4.0",
                "KIT AIS vehicles: CC-BY-3.0; Minsk drone cars: CC-BY-SA",
            ],
        },
        **parts,
    }  # fmt: skip
    hashes = {
        p.relative_to(folder).as_posix(): hash_file(p)
        for p in sorted(folder.rglob("*"))
        if p.is_file() and p.name != "rsvlm.json" and not p.name.startswith(".")
    }
    card["sha256"] = hashes
    (folder / "rsvlm.json").write_text(json.dumps(card, indent=1) + "\n")


def make(
    data_dir: Path,
    work: Path,
    decoder: Path,
    folder: Path,
    *,
    threads: int = 1,
    int8: bool = True,
    reuse: Path | None = None,
) -> None:
    """Everything: export, calibrate on the calibration split, write the card.

    ``reuse`` takes the calibration of another pack's card instead: for a quick look.
    """
    stage = folder.with_name("." + folder.name)
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir(parents=True)
    write_graphs(work, decoder, stage, data_dir, int8=int8)
    write_settings(stage)
    if reuse is not None:
        old = json.loads((reuse / "rsvlm.json").read_text())
        keep = ("calibration", "mini", "variants", "evaluation")
        write_card(stage, {k: old[k] for k in keep})
        shutil.rmtree(folder, ignore_errors=True)
        stage.rename(folder)
        return
    calibrate_pack(stage, data_dir, threads=threads)
    shutil.rmtree(folder, ignore_errors=True)
    stage.rename(folder)


def calibrate_pack(folder: Path, data_dir: Path, *, threads: int = 1) -> None:
    """Fit every threshold and probability of a pack's graphs, and write its card.

    Args:
        folder: The pack; its card is replaced, its graphs are not touched.
        data_dir: Folder of the open sets, whose calibration split is used.
        threads: Of the runtime.
    """
    vision = open_vision(folder / "onnx" / "vision_encoder.onnx", threads)
    label_p, label_hit = calibrate.read_labels(vision, data_dir)
    scaling = calibrate.fit_labels(label_p, label_hit)
    labels = {
        "".join(ch for ch in word if ch.isalnum()): {
            "index": i, "slope": round(scaling[i][0], 4), "offset": round(scaling[i][1], 4)}
        for i, label in enumerate(splits.UCM_LABELS)
        for word in (label, *lexicon.LABEL_WORDS[label])
    }  # fmt: skip
    calibration: dict[str, dict[str, float]] = {
        "classify": {**calibrate.fit_scenes(vision, data_dir), "refuse_above": 0.95},
        "ask": {"temperature": 1.0, "score": 1.0, "refuse_above": 0.5},
    }
    parts = {
        "calibration": calibration,
        "mini": {
            "objects": calibrate.fit_objects(vision, data_dir)[: len(splits.OFFERED)],
            "labels": labels,
            "said": calibrate.fit_said(label_p, label_hit, scaling),
        },
        "variants": {"cpu": {"vision_encoder": "fp32"}},
        "evaluation": [],
    }
    write_card(folder, parts)
    from rsvlm_geo.training import calibrate_words

    calibration["ask"] |= calibrate_words.fit(folder, data_dir, threads)
    write_card(folder, parts)
