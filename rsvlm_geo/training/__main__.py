"""``python -m rsvlm_geo.training STAGE --data DIR --work DIR``."""

from __future__ import annotations

import argparse
from pathlib import Path

import tomllib
import torch

RECIPE = Path(__file__).with_name("recipe.toml")
STAGES = ("all", "scene", "objects", "decoder", "pack", "calibrate")
"""``calibrate`` fits a pack's thresholds anew; ``all`` does it as a part of ``pack``."""


def main() -> None:
    """Run one stage of the recipe, or all of them in order."""
    parser = argparse.ArgumentParser(prog="python -m rsvlm_geo.training", description=__doc__)
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("--data", type=Path, required=True, help="folder of <set>.jsonl + images")
    parser.add_argument("--work", type=Path, required=True, help="folder for checkpoints")
    parser.add_argument("--pack", type=Path, default=None, help="where the pack goes (work/pack)")
    parser.add_argument("--recipe", type=Path, default=RECIPE)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--max-steps", type=int, default=None, help="stop early, for a trial")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    recipe = tomllib.loads(args.recipe.read_text())
    if args.stage in ("all", "scene"):
        from rsvlm_geo.training import train_scene

        train_scene.train(args.data, args.work, recipe["scene"], args.max_steps)
    if args.stage in ("all", "objects"):
        from rsvlm_geo.training import train_objects

        train_objects.train(args.data, args.work, recipe["objects"], args.max_steps)
    if args.stage in ("all", "decoder"):
        from rsvlm_geo.training import train_decoder

        train_decoder.train_on_towers(
            args.data, args.work, recipe["decoder"], args.threads, args.max_steps
        )
    if args.stage in ("all", "pack"):
        from rsvlm_geo.training import make_pack

        # static int8 cost 22 points on EuroSAT (docs/model-card.md): not written
        make_pack.make(
            args.data, args.work, args.work / "decoder" / "last.pt",
            args.pack or args.work / "pack", threads=args.threads, int8=False,
        )  # fmt: skip
    if args.stage == "calibrate":
        from rsvlm_geo.training import make_pack

        make_pack.calibrate_pack(args.pack or args.work / "pack", args.data, threads=args.threads)


if __name__ == "__main__":
    main()
