"""The xarray door: an array with a place answers like the file it came from.

python examples/xarray_door.py
"""

from pathlib import Path

import rioxarray

import rsvlm_geo.xarray  # noqa: F401  registers DataArray.rsvlm

with rioxarray.open_rasterio(Path(__file__).parent / "trees_10cm.tif") as array:
    part = array.isel(x=slice(0, 300), y=slice(0, 300))
    trees = part.rsvlm.count("tree")
print(trees.summary())
print(trees.objects.geometry.head(3).to_string())
