"""Twice forty things a tile cannot tell and forty it can, in words that no template has.

Written by hand and never trained on. The first are to be refused, the others to be answered
(rightly or not is measured elsewhere). After the first lists had shown what was missed, the
templates were widened; the second lists were written then, before anything was trained on them.

A question like "Where is the airplane?" is routed to ``locate``: the answer "no airplanes" denies
what it takes for granted and counts as a refusal.
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
UNKNOWABLE_2: tuple[tuple[str, str], ...] = (
    ("airplane", "Which airport am I looking at?"),
    ("airplane", "When does the next jet depart?"),
    ("airplane", "Does the captain like his job?"),
    ("airplane", "What colour is the boat?"),
    ("airplane", "How long is the delay of this aircraft?"),
    ("harbor", "Who is the harbour master?"),
    ("harbor", "How much fuel do these yachts burn?"),
    ("harbor", "Is the marina full on Sundays?"),
    ("harbor", "Where is the mobile home?"),
    ("harbor", "What did the sailors have for lunch?"),
    ("forest", "Which tree species grows here?"),
    ("forest", "Where is the ship?"),
    ("forest", "When did it last burn?"),
    ("forest", "What birds nest in it?"),
    ("beach", "How many tourists visited last summer?"),
    ("beach", "Are there sharks in the water?"),
    ("beach", "How salty is the sea?"),
    ("beach", "What colour is the storage tank?"),
    ("river", "Does this stream carry drinking water?"),
    ("river", "Where does it flow into the ocean?"),
    ("river", "How many trout swim in it?"),
    ("parkinglot", "Whose car is the white one?"),
    ("parkinglot", "At what time does the car park close?"),
    ("parkinglot", "Where is the baseball diamond?"),
    ("denseresidential", "How many families live on this block?"),
    ("denseresidential", "Which political party won here?"),
    ("denseresidential", "What is the crime rate?"),
    ("denseresidential", "Do the residents own a piano?"),
    ("storagetanks", "At what pressure is the gas kept?"),
    ("storagetanks", "What did the SAR sensor record?"),
    ("storagetanks", "Which refinery does this belong to?"),
    ("agricultural", "What fertiliser was spread?"),
    ("agricultural", "When will the corn be ripe?"),
    ("agricultural", "What is the near infrared brightness?"),
    ("freeway", "Who paid for this highway?"),
    ("freeway", "How many accidents happened last month?"),
    ("golfcourse", "What is the par of this hole?"),
    ("golfcourse", "Is there an elephant on the green?"),
    ("intersection", "Which traffic light is green?"),
    ("intersection", "Tell me the bus timetable."),
)
ANSWERABLE_2: tuple[tuple[str, str], ...] = (
    ("airplane", "Any aircraft to be seen?"),
    ("airplane", "Could you count the jets?"),
    ("airplane", "Would you describe what is going on in the picture?"),
    ("airplane", "Is the photo in colour?"),
    ("airplane", "Where are the airplanes?"),
    ("harbor", "Do you see ships?"),
    ("harbor", "How many boats are there?"),
    ("harbor", "Is there any water here?"),
    ("harbor", "What kind of landscape is this?"),
    ("forest", "Do you see any trees?"),
    ("forest", "Is the scene urban?"),
    ("forest", "Caption the image please."),
    ("forest", "What is on the ground?"),
    ("beach", "Can you see some sand?"),
    ("beach", "Is there an ocean?"),
    ("beach", "Which scene category fits best?"),
    ("beach", "How many metres wide is a pixel?"),
    ("river", "Is there water in this tile?"),
    ("river", "Give me a short description."),
    ("river", "Are there any trees visible?"),
    ("parkinglot", "Are vehicles present?"),
    ("parkinglot", "Count the cars."),
    ("parkinglot", "Is it black and white?"),
    ("parkinglot", "What is the ground resolution?"),
    ("denseresidential", "Is this a rural place or an urban one?"),
    ("denseresidential", "Can you find a house?"),
    ("denseresidential", "Name the land cover."),
    ("denseresidential", "Write a sentence about this image."),
    ("storagetanks", "Are there any oil tanks?"),
    ("storagetanks", "How many storage tanks do you see?"),
    ("storagetanks", "Are there fewer airplanes than tanks?"),
    ("mobilehomepark", "Are there mobile homes?"),
    ("mobilehomepark", "What place is this?"),
    ("tenniscourt", "Is a tennis court visible?"),
    ("tenniscourt", "How many tennis courts can be seen?"),
    ("agricultural", "Is this farmland?"),
    ("agricultural", "What do you see in this tile?"),
    ("freeway", "Is there a road?"),
    ("golfcourse", "Does the tile show grass?"),
    ("baseballdiamond", "How many baseball diamonds are there here?"),
)


def every_question() -> tuple[str, ...]:
    """All of them."""
    lists = (UNKNOWABLE, ANSWERABLE, UNKNOWABLE_2, ANSWERABLE_2)
    return tuple(text for rows in lists for _, text in rows)


def forty(model: MiniVlm, data_dir: Path) -> dict[str, Measure]:
    """Share of the unknowable refused, and of the answerable answered, on validation tiles."""
    samples = [s for s in data.load_set(data_dir, "ucm") if s.split == "val"]
    first = {s.row["class"]: calibrate.scene_tile(s) for s in reversed(samples)}
    limits = model.info.refuse_above
    out = {}
    for name, rows in (
        ("unknowable_refused", UNKNOWABLE), ("answerable_answered", ANSWERABLE),
        ("unknowable_refused_2", UNKNOWABLE_2), ("answerable_answered_2", ANSWERABLE_2),
    ):  # fmt: skip
        refused = []
        for scene, text in rows:
            question = route_question(text, model.info) or ask_question(text, gsd_m=0.3)
            reply = model.ask(first[scene][None], [question])[0][0]
            denied = question.task == "locate" and reply.boxes is not None and not len(reply.boxes)
            refused.append(denied or (reply.p_unanswerable or 0.0) > limits.get(question.task, 0.5))
        hits = np.array(refused)
        missed = [t for (_, t), r in zip(rows, refused, strict=True) if r != (name[0] == "u")]
        out[f"forty/{name}"] = metrics.share_measure(
            hits if name[0] == "u" else ~hits, missed=missed
        )
    return out
