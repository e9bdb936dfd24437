"""Forty things a tile cannot tell and forty it can, in words that no template has.

Written by hand after the templates were fixed, and never trained on. The first are to be refused,
the others to be answered (rightly or not is measured elsewhere).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rsvlm_geo import metrics
from rsvlm_geo.metrics import Measure
from rsvlm_geo.model.mini import MiniVlm
from rsvlm_geo.tasks import ask_question, route_question
from rsvlm_geo.training import calibrate, data

UNKNOWABLE: tuple[tuple[str, str], ...] = (
    ("airplane", "Which company operates these flights?"),
    ("airplane", "What is the tail number of the plane?"),
    ("airplane", "How many passengers are on board?"),
    ("airplane", "Where is the plane flying to?"),
    ("airplane", "Where is the tennis court?"),
    ("harbor", "What are the boats called?"),
    ("harbor", "How much is the mooring fee?"),
    ("harbor", "What fish can be caught here?"),
    ("harbor", "What colour is the tennis court?"),
    ("forest", "How old is this forest?"),
    ("forest", "Are there wolves living in this forest?"),
    ("forest", "What is the carbon stock of these trees?"),
    ("forest", "Where is the storage tank?"),
    ("forest", "What colour is the airplane?"),
    ("beach", "How warm is the sea today?"),
    ("beach", "Is the ice cream here any good?"),
    ("beach", "When is high tide?"),
    ("beach", "Where is the baseball diamond located in the image?"),
    ("river", "How many litres flow here each second?"),
    ("river", "Which river is it?"),
    ("river", "What colour is the baseball diamond?"),
    ("parkinglot", "Who parked the red one?"),
    ("parkinglot", "What does an hour of parking cost?"),
    ("parkinglot", "What is the licence plate of the first vehicle?"),
    ("denseresidential", "What are the neighbours' names?"),
    ("denseresidential", "How much would a flat cost me?"),
    ("denseresidential", "Is there a good school nearby?"),
    ("denseresidential", "Where is the airplane?"),
    ("storagetanks", "What liquid is stored in there?"),
    ("storagetanks", "When were the tanks last inspected?"),
    ("storagetanks", "What temperature does the thermal image show?"),
    ("agricultural", "Which farmer owns this land?"),
    ("agricultural", "How many tonnes will be harvested?"),
    ("agricultural", "What is the vegetation index?"),
    ("freeway", "What is the name of this motorway?"),
    ("freeway", "How fast is the traffic moving?"),
    ("golfcourse", "Who won the tournament last year?"),
    ("golfcourse", "What is the membership fee?"),
    ("intersection", "On what date was this recorded?"),
    ("intersection", "What will this place look like in ten years?"),
)
ANSWERABLE: tuple[tuple[str, str], ...] = (
    ("airplane", "Is there any airplane here?"),
    ("airplane", "How many planes can you count?"),
    ("airplane", "What sort of scene am I looking at?"),
    ("airplane", "Is it a colour image?"),
    ("harbor", "Are there any boats in the picture?"),
    ("harbor", "Can you see water?"),
    ("harbor", "Describe this place."),
    ("harbor", "What kind of place is it?"),
    ("forest", "Are there trees?"),
    ("forest", "Is this rural or urban?"),
    ("forest", "Please describe the picture."),
    ("forest", "Which land cover do you see?"),
    ("beach", "Is there sand in the image?"),
    ("beach", "Do you see the sea?"),
    ("beach", "What is shown in this image?"),
    ("beach", "What is the resolution of this picture?"),
    ("river", "Is water visible?"),
    ("river", "What does this tile show?"),
    ("river", "Does the image contain buildings?"),
    ("parkinglot", "Are there cars in this image?"),
    ("parkinglot", "What is the scene?"),
    ("parkinglot", "Is it a panchromatic or a color image?"),
    ("parkinglot", "How many meters is one pixel?"),
    ("denseresidential", "Is the area urban or rural?"),
    ("denseresidential", "Are any buildings present?"),
    ("denseresidential", "What covers the ground here?"),
    ("denseresidential", "Can you describe the image?"),
    ("storagetanks", "Is there a storage tank?"),
    ("storagetanks", "How many tanks are in the image?"),
    ("storagetanks", "What is the theme of the image?"),
    ("storagetanks", "Are there more tanks than airplanes?"),
    ("tenniscourt", "Do you see a tennis court?"),
    ("tenniscourt", "What is the number of tennis courts?"),
    ("tenniscourt", "Give a description of this image."),
    ("agricultural", "Is there farmland in the image?"),
    ("agricultural", "Which class of scene is it?"),
    ("freeway", "Is there pavement in the picture?"),
    ("freeway", "Please write a short caption."),
    ("golfcourse", "Is there grass?"),
    ("baseballdiamond", "Is there a baseball diamond in this image?"),
)


def forty(model: MiniVlm, data_dir: Path) -> dict[str, Measure]:
    """Share of the unknowable refused, and of the answerable answered, on validation tiles."""
    samples = [s for s in data.load_set(data_dir, "ucm") if s.split == "val"]
    first = {s.row["class"]: calibrate.scene_tile(s) for s in reversed(samples)}
    limits = model.info.refuse_above
    out = {}
    for name, rows in (("unknowable_refused", UNKNOWABLE), ("answerable_answered", ANSWERABLE)):
        refused = []
        for scene, text in rows:
            question = route_question(text, model.info) or ask_question(text, gsd_m=0.3)
            reply = model.ask(first[scene][None], [question])[0][0]
            refused.append((reply.p_unanswerable or 0.0) > limits.get(question.task, 0.5))
        hits = np.array(refused)
        missed = [t for (_, t), r in zip(rows, refused, strict=True) if r != (name[0] == "u")]
        out[f"forty/{name}"] = metrics.share_measure(
            hits if name[0] == "u" else ~hits, missed=missed
        )
    return out
