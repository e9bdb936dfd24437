#!/usr/bin/env bash
# Makes what the plugin's tests need: QGIS, a virtual X server, and .venv-qgis on QGIS's own Python.
# Says loudly when it cannot; exits 3 then, so that nobody takes a skip for a pass.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
packages="python3-venv python3-qgis qgis xvfb xauth xdotool fonts-open-sans qttools5-dev-tools"

missing=""
for package in $packages; do
    dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
done
if [ -n "$missing" ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "setup.sh: installing$missing"
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=500 install -y -qq \
            --no-install-recommends $missing >/tmp/qgis-apt.log 2>&1 || { tail -5 /tmp/qgis-apt.log; }
    fi
fi
if ! /usr/bin/python3 -c "import qgis.core" 2>/dev/null; then
    echo "###############################################################################"
    echo "# QGIS IS NOT INSTALLED AND CANNOT BE INSTALLED HERE: the plugin's QGIS tests #"
    echo "# DO NOT RUN. On Debian or Ubuntu, as root: apt-get install$missing"
    echo "###############################################################################"
    exit 3
fi
if [ ! -x "$root/.venv-qgis/bin/pytest" ]; then
    /usr/bin/python3 -m venv --system-site-packages "$root/.venv-qgis"
    "$root/.venv-qgis/bin/pip" install -q --disable-pip-version-check pytest pytest-qgis
fi
echo "setup.sh: ready ($(/usr/bin/python3 -c 'import qgis.core as c; print(c.Qgis.QGIS_VERSION)'))"
