"""The words of captions by rule: objects, labels and scenes, and what each phrase claims."""

from __future__ import annotations

from collections.abc import Mapping

from rsvlm_geo.annotated import class_name
from rsvlm_geo.metrics.captions import Vocabulary

__all__ = ["LABELS", "SCENES", "SYNONYMS", "VOCABULARY", "noun", "number_word", "scene_words"]

SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "airplane": ("plane", "aircraft", "aeroplane", "jet", "airliner"),
    "bare_soil": ("bare soil", "bare ground", "soil"),
    "baseball_diamond": ("baseball field", "ballfield"),
    "basketball_court": (),
    "bridge": ("overpass", "flyover"),
    "building": ("house", "warehouse", "home", "skyscraper", "rooftop"),
    "car": ("vehicle", "automobile", "van"),
    "bus": ("minibus",),
    "truck": ("lorry",),
    "chaparral": ("shrubland", "shrub", "bush"),
    "crane": (),
    "container": (),
    "court": ("sports court",),
    "dock": ("pier", "wharf", "quay", "jetty"),
    "field": ("farmland", "cropland", "crop field", "crop"),
    "grass": ("lawn", "meadow", "grassland"),
    "ground_track_field": ("athletic track", "running track"),
    "helicopter": (),
    "mobile_home": ("trailer",),
    "parking_lot": ("car park",),
    "pavement": ("road", "street", "asphalt", "paved area", "highway", "freeway", "runway"),
    "person": ("people", "pedestrian"),
    "pool": ("swimming pool",),
    "railway": ("train", "rail track"),
    "roundabout": (),
    "sand": ("beach",),
    "sea": ("ocean",),
    "ship": ("boat", "vessel", "yacht"),
    "soccer_field": ("football field", "football pitch"),
    "solar_panel": (),
    "stadium": (),
    "storage_tank": ("tank", "oil tank", "fuel tank"),
    "tennis_court": (),
    "tree": ("forest", "wood", "woodland", "tree crown"),
    "water": ("river", "lake", "pond", "stream"),
    "wind_turbine": ("windmill",),
}
"""What a caption may claim -> other words that claim it."""

VOCABULARY = Vocabulary(SYNONYMS)

LABELS: Mapping[str, str] = {
    "bare_soil": "bare soil", "buildings": "buildings", "cars": "cars", "chaparral": "chaparral",
    "court": "courts", "dock": "docks", "field": "fields", "grass": "grass", "ship": "ships",
    "mobile_home": "mobile homes", "pavement": "pavement", "sand": "sand", "sea": "sea",
    "tanks": "storage tanks", "trees": "trees", "water": "water", "airplane": "airplanes",
}  # fmt: skip
"""Multi-label -> how it reads in a list."""

SCENES: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "agricultural": ("farmland", "the land is used for growing crops", ("field",)),
    "airplane": (
        "an airport apron with parked aircraft",
        "the area serves air traffic",
        ("airplane",),
    ),
    "baseballdiamond": ("a baseball field", "the area is used for sport", ("baseball_diamond",)),
    "beach": ("a beach by the sea", "the area is a shore", ("sand", "sea")),
    "buildings": ("a block of large buildings", "the area is built up", ("building",)),
    "chaparral": ("dry chaparral", "the land is in a natural state", ("chaparral",)),
    "denseresidential": (
        "a dense residential area with closely packed houses",
        "people live here",
        ("building", "person"),
    ),
    "forest": ("a forest", "the land is covered by tree crowns", ("tree",)),
    "freeway": ("a freeway", "the area serves through traffic", ("pavement",)),
    "golfcourse": ("a golf course", "the area is used for sport", ("grass",)),
    "harbor": (
        "a harbor with boats at the docks",
        "the area serves vessels",
        ("ship", "dock", "water"),
    ),
    "intersection": ("a road intersection", "traffic crosses here", ("pavement",)),
    "mediumresidential": (
        "a residential area of medium density",
        "people live here",
        ("building", "person"),
    ),
    "mobilehomepark": ("a mobile home park", "people live here", ("mobile_home", "person")),
    "overpass": ("a road overpass", "traffic crosses here on two levels", ("pavement", "bridge")),
    "parkinglot": (
        "a parking lot with cars",
        "the area is used for parking",
        ("car", "parking_lot"),
    ),
    "river": ("a river", "water flows through the area", ("water",)),
    "runway": ("a runway", "the area serves air traffic", ("pavement",)),
    "sparseresidential": (
        "a sparse residential area",
        "few people live here",
        ("building", "person"),
    ),
    "storagetanks": (
        "an area of storage tanks",
        "the site is used for storing liquids",
        ("storage_tank",),
    ),
    "tenniscourt": ("an area with tennis courts", "the area is used for sport", ("tennis_court",)),
    "annual_crop": (
        "fields of annual crops",
        "the land is farmed with crops sown every year",
        ("field",),
    ),
    "herbaceous_vegetation": (
        "natural herbaceous vegetation",
        "the land is in a natural state, low and green",
        (),
    ),
    "highway": ("a highway crossing the land", "the area serves through traffic", ("pavement",)),
    "industrial": (
        "an industrial area with large buildings",
        "the area is used by industry",
        ("building",),
    ),
    "pasture": ("pasture", "the land is used for grazing", ()),
    "permanent_crop": (
        "permanent crops such as orchards or vineyards",
        "the land is farmed with plants that stay for years",
        ("field",),
    ),
    "residential": ("a residential area", "people live here", ("building", "person")),
    "sea_lake": ("open water of a sea or lake", "the area is under water", ("water", "sea")),
    "airport": ("an airport", "the area serves air traffic", ("pavement",)),
    "bridge": ("a bridge", "traffic crosses here", ("bridge",)),
    "desert": ("a desert", "the land is in a natural state", ()),
    "farmland": ("farmland", "the land is used for growing crops", ("field",)),
    "meadow": ("a meadow", "the land is in a natural state", ("grass",)),
    "mountain": ("mountains", "the land is in a natural state", ()),
    "pond": ("a pond", "the area is under water", ("water",)),
    "port": ("a port", "the area serves shipping", ()),
    "railwaystation": ("a railway station", "the area serves trains", ("railway",)),
    "stadium": ("a stadium", "the area is used for sport", ("stadium",)),
}
"""Scene class -> (phrase, what it is for, what the phrase itself claims)."""

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_LABEL_CLASS = {"buildings": "building", "cars": "car", "tanks": "storage_tank", "trees": "tree"}


def number_word(n: int) -> str:
    """Words to ten, then ``many``."""
    return _NUMBERS[n] if n <= 10 else "many"


def noun(label: str, n: int) -> str:
    """``storage tank`` or, for any other number, ``storage tanks``."""
    words = label.replace("_", " ")
    if n == 1 or words in ("grass", "water", "sand", "sea", "pavement", "bare soil"):
        return words
    if words.endswith(("s", "x", "ch", "sh")):
        return words + "es"
    if words.endswith("y") and words[-2:-1] not in tuple("aeiou"):
        return words[:-1] + "ies"
    return words + "s"


def label_class(label: str) -> str:
    """The vocabulary's class for a multi-label: ``tanks`` -> ``storage_tank``."""
    name = class_name(label)
    return _LABEL_CLASS.get(name, name)


def scene_words(scene: str) -> tuple[str, str, tuple[str, ...]]:
    """Phrase, use and claims of a scene class; an unknown one speaks for itself."""
    known = SCENES.get(scene) or SCENES.get(class_name(scene))
    if known is not None:
        return known
    words = class_name(scene).replace("_", " ")
    return f"a scene of {words}", f"it is a {words} scene", tuple(VOCABULARY.find(words))
