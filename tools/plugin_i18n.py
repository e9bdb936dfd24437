"""Translations: gathered from the code's ``tr("...")``, kept in .ts, built to .qm, checked."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "qgis_plugin" / "rsvlm_geo_qgis"
LANGUAGES = ("de", "fr", "es", "pt", "zh_CN")
CONTEXT = "rsvlm_geo"
_HOLES = re.compile(r"\{(\w*)\}")


def sources() -> dict[str, str]:
    """Sentence -> first file it stands in, in order."""
    found: dict[str, str] = {}
    for path in sorted(FOLDER.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "tr"
            ):
                first = node.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    found.setdefault(first.value, path.name)
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and any(
                isinstance(t, ast.Name) and t.id == "EXAMPLES" for t in node.targets
            ):
                for item in ast.walk(node.value):
                    if isinstance(item, ast.Constant) and isinstance(item.value, str):
                        found.setdefault(item.value, path.name)
    return found


def ts_path(language: str) -> Path:
    """Where a language's words are."""
    return FOLDER / "i18n" / f"rsvlm_geo_{language}.ts"


def read_ts(language: str) -> dict[str, str]:
    """Sentence -> translation; unfinished ones are left out."""
    path = ts_path(language)
    if not path.exists():
        return {}
    words = {}
    for message in ET.parse(path).getroot().iter("message"):
        source, said = message.findtext("source"), message.find("translation")
        if source and said is not None and said.text and said.get("type") != "unfinished":
            words[source] = said.text
    return words


def write_ts(language: str, words: dict[str, str]) -> None:
    """Write a language's file: every sentence of the code, translated or marked unfinished."""
    root = ET.Element("TS", version="2.1", language=language, sourcelanguage="en")
    context = ET.SubElement(root, "context")
    ET.SubElement(context, "name").text = CONTEXT
    for source in sources():
        message = ET.SubElement(context, "message")
        ET.SubElement(message, "source").text = source
        said = ET.SubElement(message, "translation")
        if words.get(source):
            said.text = words[source]
        else:
            said.set("type", "unfinished")
    ET.indent(root, " ")
    text = '<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE TS>\n'
    ts_path(language).write_text(
        text + ET.tostring(root, encoding="unicode") + "\n", encoding="utf-8"
    )


def problems() -> list[str]:
    """Missing or stale translations, placeholders that do not fit, a .qm that is missing."""
    findings = []
    wanted = sources()
    for language in LANGUAGES:
        words = read_ts(language)
        missing = [source for source in wanted if source not in words]
        if missing:
            findings.append(f"{language}: {len(missing)} not translated, first: {missing[0]!r}")
        stale = [source for source in words if source not in wanted]
        if stale:
            findings.append(f"{language}: {len(stale)} no longer in the code, first: {stale[0]!r}")
        for source, said in words.items():
            if sorted(_HOLES.findall(source)) != sorted(_HOLES.findall(said)):
                findings.append(f"{language}: placeholders of {source!r} and {said!r} differ")
        compiled = ts_path(language).with_suffix(".qm")
        if not compiled.exists():
            findings.append(f"{language}: no .qm; run: python tools/plugin.py i18n")
    return findings


def main(arguments: list[str]) -> int:
    """Refresh every .ts and .qm."""
    lrelease = shutil.which("lrelease") or shutil.which("lrelease-qt5")
    if lrelease is None:
        print("lrelease is not installed: apt-get install qttools5-dev-tools")
        return 3
    for language in LANGUAGES:
        write_ts(language, read_ts(language))
        path = ts_path(language)
        subprocess.run(
            [lrelease, "-silent", "-compress", str(path), "-qm", str(path.with_suffix(".qm"))],
            check=True,
        )
    findings = problems()
    print(f"{len(sources())} sentences, {len(LANGUAGES)} languages beside English")
    for finding in findings:
        print(f"  {finding}")
    return 1 if findings else 0
