"""What the QGIS plugin repository checks on upload, checked before: 0 findings or exit 1."""

from __future__ import annotations

import configparser
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import plugin_i18n
import plugin_zip

FOLDER = plugin_zip.FOLDER
MAX_BYTES = 1_000_000
"""Ours; the repository takes 25 MB."""
BANDIT_BLOCKING = frozenset(
    [
        "B102",
        "B103",
        "B105",
        "B106",
        "B107",
        "B111",
        "B201",
        "B202",
        "B301",
        "B302",
        "B304",
        "B305",
        "B306",
        "B307",
        "B312",
        "B321",
        "B323",
        "B401",
        "B402",
        "B412",
        "B413",
        "B501",
        "B502",
        "B503",
        "B505",
        "B506",
        "B507",
        "B601",
        "B602",
        "B604",
        "B605",
        "B609",
        "B610",
        "B611",
        "B612",
        "B613",
        "B615",
        "B701",
    ]
)
BANDIT_ACCEPTED = {
    "B404": "the engine is a process of its own",
    "B603": "commands are lists without a shell; the engine's Python is the user's own choice",
}
"""Findings of low severity that the design rests on; everything else counts."""
REQUIRED = (
    "name", "description", "version", "qgisMinimumVersion", "author", "email", "about", "tracker",
    "repository",
)  # fmt: skip
SUSPICIOUS = {".exe", ".dll", ".so", ".dylib", ".sh", ".bat", ".cmd", ".ps1", ".pyd", ".pyc"}
FLAKE8 = "E9,F821,F823,F831,F401,F811,F841"


def bandit() -> list[str]:
    """Blocking rules, and any rule that was not accepted with a reason."""
    done = subprocess.run(
        [sys.executable, "-m", "bandit", "-q", "-r", str(FOLDER), "-f", "json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    report = json.loads(done.stdout or "{}")
    if "results" not in report:
        return [f"bandit did not run: {done.stderr[-300:]}"]
    findings = [str(error) for error in report.get("errors", [])]
    for result in report["results"]:
        rule = result["test_id"]
        if rule in BANDIT_BLOCKING or rule not in BANDIT_ACCEPTED:
            place = Path(result["filename"]).name
            findings.append(f"{rule} {place}:{result['line_number']} {result['issue_text']}")
    return findings


def secrets() -> list[str]:
    """detect-secrets always exits 0: read what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "detect_secrets", "scan", "--all-files", str(FOLDER)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        return [f"detect-secrets did not run: {done.stderr[-300:]}"]
    return [
        f"{Path(name).name}:{hit['line_number']} {hit['type']}"
        for name, hits in json.loads(done.stdout)["results"].items()
        for hit in hits
    ]


def flake8() -> list[str]:
    """Syntax errors and names that are not there, and names not used."""
    done = subprocess.run(
        [sys.executable, "-m", "flake8", "--isolated", f"--select={FLAKE8}", str(FOLDER)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode not in (0, 1) or done.stderr:
        return [f"flake8 did not run: {done.stderr[-300:]}"]
    return done.stdout.splitlines()


def metadata() -> list[str]:
    """Required keys, links, versions, licence, the dependency's statement."""
    findings = []
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(FOLDER / "metadata.txt", encoding="utf-8")
    general = parser["general"]
    for key in REQUIRED:
        if not general.get(key, "").strip():
            findings.append(f"metadata.txt: {key} is missing")
    for key in ("homepage", "tracker", "repository"):
        if not re.fullmatch(r"https://[\w./-]+", general.get(key, "")):
            findings.append(f"metadata.txt: {key} is no https link: {general.get(key)!r}")
    if "/" in general.get("author", "") or "@" not in general.get("email", ""):
        findings.append("metadata.txt: author or email")
    if "supportsQt6" in general:
        findings.append("metadata.txt: supportsQt6 is dead; qgisMaximumVersion says it")
    if general.get("qgisMaximumVersion") != "4.99" or general.get("qgisMinimumVersion") != "3.22":
        findings.append("metadata.txt: versions are to be 3.22 to 4.99")
    if general.get("hasProcessingProvider") != "yes":
        findings.append("metadata.txt: hasProcessingProvider=yes, or qgis_process sees nothing")
    if "rsvlm-geo" not in general.get("about", ""):
        findings.append("metadata.txt: about must name the external dependency")
    if not (FOLDER / general.get("icon", "?")).is_file():
        findings.append("metadata.txt: the icon is not there")
    licence = FOLDER / "LICENSE"
    if not licence.is_file() or "GNU GENERAL PUBLIC LICENSE" not in licence.read_text():
        findings.append("LICENSE of the GPL is not in the folder")
    if not FOLDER.name.isidentifier() or "plugin" in FOLDER.name:
        findings.append(f"{FOLDER.name} is no good folder name")
    return findings


def content() -> list[str]:
    """The zip itself: size, one folder, kinds of files, and what the sources must not do."""
    findings = []
    with tempfile.TemporaryDirectory() as folder:
        target = plugin_zip.make_zip(Path(folder) / "plugin.zip")
        if target.stat().st_size > MAX_BYTES:
            findings.append(f"the zip has {target.stat().st_size} bytes, more than {MAX_BYTES}")
        with zipfile.ZipFile(target) as archive:
            names = archive.namelist()
    if {name.split("/")[0] for name in names} != {FOLDER.name}:
        findings.append("the zip has more than one top folder")
    for name in names:
        if Path(name).suffix in SUSPICIOUS or ".." in name or "\\" in name or "__pycache__" in name:
            findings.append(f"{name} does not belong in a plugin")
    for needed in ("__init__.py", "metadata.txt", "LICENSE"):
        if f"{FOLDER.name}/{needed}" not in names:
            findings.append(f"{needed} is not in the zip")
    for path in plugin_zip.files():
        if path.suffix != ".py":
            continue
        text, name = path.read_text(encoding="utf-8"), path.relative_to(FOLDER)
        if "SPDX-License-Identifier: GPL-2.0-or-later" not in text.splitlines()[0]:
            findings.append(f"{name}: no SPDX line")
        if path.stat().st_mode & 0o111:
            findings.append(f"{name}: is executable")
        for pattern, why in (
            (r"^\s*(?:from|import)\s+(?:PyQt5|PyQt6|PySide)", "import Qt from qgis.PyQt only"),
            (r"\.exec_\(", "exec_() is gone in Qt 6"),
            (r"sys\.executable", "inside QGIS that is QGIS"),
            (r"^\s*(?:from|import)\s+(?:rsvlm_geo\b|rasterio|geopandas|onnxruntime|numpy|torch)",
             "no third party inside QGIS's process"),
            (r"QRegExp\b|qApp\b|QDesktopWidget|resources_rc", "gone in Qt 6"),
            (r"\bassert\b ", "assert is stripped with -O"),
        ):  # fmt: skip
            for match in re.finditer(pattern, text, re.M):
                if "``" in text.splitlines()[text[: match.start()].count("\n")]:
                    continue
                line = text[: match.start()].count("\n") + 1
                findings.append(f"{name}:{line} {match.group().strip()}: {why}")
    return findings


CHECKS = {
    "bandit": bandit, "detect-secrets": secrets, "flake8": flake8, "metadata": metadata,
    "zip and sources": content, "translations": plugin_i18n.problems,
}  # fmt: skip


def main(arguments: list[str]) -> int:
    """Run every check; arguments name some of them."""
    total = 0
    for name, check in CHECKS.items():
        if arguments and name not in arguments:
            continue
        findings = check()
        total += len(findings)
        print(f"{name}: {len(findings)} findings")
        for finding in findings:
            print(f"  {finding}")
    print(f"gate: {total} findings")
    return 1 if total else 0
