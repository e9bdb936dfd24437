#!/usr/bin/env bash
# Every test of the plugin, each layer in the Python it needs. Exit 3: QGIS is not there.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root" || exit 1
python=${RSVLM_PYTHON:-$root/.venv/bin/python}
export PYTHONDONTWRITEBYTECODE=1
bash tests/qgis/setup.sh || exit $?
"$python" tools/plugin.py gate || exit 1
home=$(mktemp -d); mkdir -m 700 "$home/run"
env -u VIRTUAL_ENV HOME="$home" XDG_RUNTIME_DIR="$home/run" QT_QPA_PLATFORM=offscreen \
    QGIS_CUSTOM_CONFIG_PATH="$home" RSVLM_TEST_PYTHON="$python" PATH="/usr/bin:/bin" \
    .venv-qgis/bin/python -X faulthandler -m pytest -c tests/qgis/pytest-qgis.ini --rootdir . \
    --qgis_disable_gui tests/qgis/test_plugin.py "$@" || { rm -rf "$home"; exit 1; }
rm -rf "$home"
"$python" -m pytest tests/qgis/test_client.py tests/qgis/test_process.py tests/qgis/test_desktop.py "$@"
