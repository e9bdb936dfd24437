#!/usr/bin/env bash
# The command line: what a run would cost, a styled GeoPackage, a map, one question, and events.
#   bash examples/command_line.sh [out_folder]
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
out="${1:-out}"
mkdir -p "$out"

rsvlm-geo classify "$here/sentinel2_10m.tif" --dry-run
rsvlm-geo classify "$here/sentinel2_10m.tif" -o "$out/land.gpkg" -o "$out/land.png"

# exit code 3 means: finished, but part of the area could not be answered
rsvlm-geo count "$here/street_15cm.tif" car -o "$out/street.gpkg" || test $? -eq 3

# a car covers less than two pixels of 10 m: refused by rule, and no model is asked
rsvlm-geo count "$here/sentinel2_10m.tif" car || test $? -eq 3

# events as JSON lines, for scripts
rsvlm-geo presence "$here/parking_15cm.tif" car --json | tail -n 1
