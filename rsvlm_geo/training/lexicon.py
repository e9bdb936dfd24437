"""The words: classes and labels as people say them, places, colours, and what is out of scope."""

from __future__ import annotations

from collections.abc import Mapping

OBJECT_WORDS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "airplane": (("airplane", "airplanes"), ("plane", "planes"), ("aircraft", "aircraft"),
                 ("aeroplane", "aeroplanes"), ("jet", "jets")),
    "storage_tank": (("storage tank", "storage tanks"), ("tank", "tanks"),
                     ("oil tank", "oil tanks"), ("fuel tank", "fuel tanks")),
    "tennis_court": (("tennis court", "tennis courts"), ("tennis field", "tennis fields")),
    "baseball_diamond": (("baseball diamond", "baseball diamonds"),
                         ("baseball field", "baseball fields"), ("ballfield", "ballfields")),
    "car": (("car", "cars"), ("vehicle", "vehicles"), ("automobile", "automobiles"),
            ("motor vehicle", "motor vehicles")),
    "tree": (("tree", "trees"), ("tree crown", "tree crowns")),
    "ship": (("ship", "ships"), ("boat", "boats"), ("vessel", "vessels"), ("yacht", "yachts")),
    "mobile_home": (("mobile home", "mobile homes"), ("trailer home", "trailer homes"),
                    ("manufactured home", "manufactured homes")),
}  # fmt: skip
"""Object class -> (singular, plural) forms; the first is how the model itself says it."""

LABEL_WORDS: Mapping[str, tuple[str, ...]] = {
    "airplane": ("airplane", "plane"),
    "bare-soil": ("bare soil", "bare ground", "soil"),
    "buildings": ("building", "house"),
    "cars": ("car", "vehicle"),
    "chaparral": ("chaparral", "shrubland"),
    "court": ("court", "sports court"),
    "dock": ("dock", "pier"),
    "field": ("field", "crop field", "farmland"),
    "grass": ("grass", "lawn"),
    "mobile-home": ("mobile home",),
    "pavement": ("pavement", "road", "paved area"),
    "sand": ("sand",),
    "sea": ("sea", "ocean"),
    "ship": ("ship", "boat"),
    "tanks": ("tank", "storage tank"),
    "trees": ("tree",),
    "water": ("water", "water area", "water body"),
}
LABEL_SAID: Mapping[str, str] = {
    "airplane": "airplanes", "bare-soil": "bare soil", "buildings": "buildings", "cars": "cars",
    "chaparral": "chaparral", "court": "courts", "dock": "docks", "field": "fields",
    "grass": "grass", "mobile-home": "mobile homes", "pavement": "pavement", "sand": "sand",
    "sea": "sea", "ship": "ships", "tanks": "tanks", "trees": "trees", "water": "water",
}  # fmt: skip
"""How a label reads in a list."""

UCM_SAID: Mapping[str, str] = {
    "agricultural": "farmland", "airplane": "an airport apron",
    "baseballdiamond": "a ballpark", "beach": "a beach",
    "buildings": "a block of large buildings", "chaparral": "dry chaparral",
    "denseresidential": "a dense residential area", "forest": "a forest",
    "freeway": "a freeway", "golfcourse": "a golf course", "harbor": "a harbor",
    "intersection": "a road intersection", "mediumresidential": "a residential area",
    "mobilehomepark": "a mobile home park", "overpass": "a road overpass",
    "parkinglot": "a parking lot", "river": "a river", "runway": "a runway",
    "sparseresidential": "a sparse residential area", "storagetanks": "an area of storage tanks",
    "tenniscourt": "an area with tennis courts",
}  # fmt: skip
EUROSAT_SAID: Mapping[str, str] = {
    "AnnualCrop": "fields of annual crops", "Forest": "a forest",
    "HerbaceousVegetation": "herbaceous vegetation", "Highway": "a highway",
    "Industrial": "an industrial area", "Pasture": "pasture",
    "PermanentCrop": "permanent crops", "Residential": "a residential area",
    "River": "a river", "SeaLake": "a sea or a lake",
}  # fmt: skip

URBAN = frozenset({
    "buildings", "denseresidential", "mediumresidential", "intersection", "mobilehomepark",
    "parkinglot", "Industrial", "Residential", "overpass",
})  # fmt: skip
RURAL = frozenset({
    "agricultural", "chaparral", "forest", "AnnualCrop", "Forest", "HerbaceousVegetation",
    "Pasture", "PermanentCrop",
})  # fmt: skip

PLACES = ("top left", "top", "top right", "left", "center", "right",
          "bottom left", "bottom", "bottom right")  # fmt: skip
COLOURS = ("white", "gray", "black", "red", "green", "blue", "brown", "yellow", "orange")
REASONS = ("invisible", "panchromatic", "below_gsd", "modality", "out_of_scope")
GSDS = (0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.5, 5.0, 10.0)

NUMBER_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
                "ten")  # fmt: skip

_NOUNS_OUT = """
dinosaur elephant giraffe horse cow sheep dog cat bird penguin whale dolphin shark lion tiger
bear deer wolf camel monkey rabbit snake spider insect bee person man woman child soldier
pedestrian cyclist crowd tourist worker police volcano glacier iceberg waterfall canyon cave
mine quarry windmill satellite rocket missile submarine helicopter drone balloon spaceship ufo
train locomotive tram bicycle motorcycle tractor excavator crane scooter wheelchair skateboard
pyramid castle temple mosque church cathedral stadium hospital school library museum restaurant
hotel prison cinema theatre casino supermarket pharmacy bakery cafe lighthouse dam chimney
antenna radar pipeline fence wall gate door window roof chair table bed sofa lamp computer phone
television camera book pencil banana apple pizza burger cake coffee wine beer guitar piano
violin umbrella hat shoe dress watch ring flag statue fountain tent campfire swing slide
trampoline unicorn dragon zombie ghost robot alien mermaid wizard mountain peak snow ice lava
rainbow cloud moon sun star comet lightning tornado fire smoke bridge turbine greenhouse silo
barn cemetery zoo basketball football hockey rugby cricket billboard mailbox bench hydrant
manhole streetlight puddle mushroom flower rose tulip cactus kangaroo zebra hippo panda koala
octopus crab lobster turtle frog crocodile parrot eagle owl ambulance limousine taxi ferry canoe
kayak surfboard parachute glider zeppelin
"""
NOUNS_OUT = tuple(_NOUNS_OUT.split())
"""Things the pack has no class for."""

_PLACES_OUT = """
paris london tokyo berlin madrid rome beijing moscow cairo sydney toronto mumbai chicago texas
california france germany japan china brazil india spain italy kenya egypt canada australia peru
chile norway sweden poland turkey greece
"""
PLACES_OUT = tuple(_PLACES_OUT.split())

_ASKS_OUT = """
what is the name of this {p}; what is this {p} called; who owns this {p}; who built this {p};
who lives here; who took this picture; who is the mayor here; when was this image taken;
when was this picture acquired; what date is it; what year was this {p} built;
on which day was this photo taken; what time is it; what time of day was this captured;
what season is it; what is the weather like; is it going to rain; what is the temperature;
how warm is it here; how windy is it; what was the wind speed; is it cloudy tomorrow;
how much does this {p} cost; what is the price of this {p}; what is this land worth;
what is the rent here; how expensive are the houses; what is the value of the property;
in which city is this; which country is this; what is the address; where on earth is this;
what is the postal code; what are the coordinates of this {p}; what continent is shown;
is this {l}; is this image from {l}; how far is {l}; what is the distance to {l};
how many people live here; what is the population; how many people are there;
how old is this {p}; how old are the trees; how tall is the {p}; how high is the building;
how deep is the water; how heavy is the {p}; what is the depth of the river;
how fast are the cars going; what is the speed limit; how noisy is this {p};
what does it smell like here; what sound can be heard; what is the air quality;
what is the elevation; how steep is the slope; what is the soil moisture; what is the ndvi;
what is the near infrared reflectance; what is the backscatter; what is the polarisation;
what is the surface temperature; what does the radar show; what does the thermal band show;
what does the infrared band show; which band is brightest; what was here before;
what will be built here; what happened here yesterday; what changed since last year;
will there be a flood; is this {p} still open; what is inside the building;
what is under the ground; what is behind the {p}; what language do they speak;
which company runs this {p}; what is the phone number; what is the license plate;
what brand is the car; what model is the airplane; which airline is it; who is driving;
what is the pilot's name; what is the crop yield; which species are the trees; what breed is it;
is the water clean; is it safe here; is the economy good here; are the people happy;
is it beautiful; do you like it; what is your favourite {p}; what is the meaning of life;
tell me a joke; write a poem; translate this into french; what is two plus two;
solve the equation; who won the match; what is the score; what is the capital of {l};
what is the bus number; when does the {p} open; what is the password;
can you book a flight to {l}; is the {n} wearing a hat; what is the {n} doing;
what is the {n} holding; is the {n} happy; what is the name of the {n}; what is the {n} eating;
how many {n}s are there; how many {n}s are in the image; is there a {n};
is there a {n} in the image; are there any {n}s; can you see a {n}; do you see any {n}s;
where is the {n}; where are the {n}s; what colour is the {n}; what is the color of the {n};
locate the {n}; count the {n}s; find all {n}s; what is the actual color of the {n};
how big is the {n}; how long is the {n}; what is the number of {n}s; is the {n} red;
does this picture contain a {n}; is a {n} present; where is the {n} located in the image;
are there more {n}s than {n}s; is there a {n} next to the {p}; show me the {n};
what is the location of the {n} in this picture; which {n} is the largest; describe the {n};
does the image show {n}s; what type of {n} is this
"""
ASKS_OUT = tuple(" ".join(ask.split()) for ask in _ASKS_OUT.split(";"))
"""Questions that no tile answers; {n} an unknown thing, {p} a place, {l} a name."""
PLACE_NOUNS = ("place", "area", "building", "road", "river", "farm", "harbor", "airport", "house",
               "site", "town", "street")  # fmt: skip
