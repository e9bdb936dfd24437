"""The Python door: count, look at what the number rests on, save layers for QGIS.

python examples/python_door.py [out_folder]
"""

import sys
from pathlib import Path

import rsvlm_geo

here = Path(__file__).parent
out = Path(sys.argv[1] if len(sys.argv) > 1 else "out")
out.mkdir(parents=True, exist_ok=True)

# one class, with every object on the map
cars = rsvlm_geo.count(here / "street_15cm.tif", "car")
print(cars.total)  # never passes for complete when it is not
print(cars.objects[["label", "score", "area_m2"]].describe().round(2))

# only what is certain: the rest stays in the table
sure = cars.objects[cars.objects["score"] > 0.5]
print(f"{len(sure)} of {len(cars.objects)} with a score over 0.5")

# a whole scene: captions, classes, main objects; each sentence names the tiles it rests on
scene = rsvlm_geo.describe(here / "parking_15cm.tif")
for said in scene.statements:
    print("-", said.text, said.tile_ids[:5])

# what was refused, and why
refused = scene.answers[scene.answers["status"] == "refused"]
print(refused[["tile_id", "question", "reason"]].to_string(index=False) if len(refused) else "none")

print(*cars.save(out / "cars.gpkg", out / "cars.png", out / "cars.parquet"), sep="\n")
