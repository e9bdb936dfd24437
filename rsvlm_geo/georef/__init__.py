"""From a model's pixels to the map: placing, measuring, and merging across tiles.

SIGNATURES FIRST; bodies follow. See ``rsvlm_geo.scene`` for the page of interfaces.
"""
