"""What became of the tests as JUnit XML, the form every build server reads. Pure."""

import re
from collections import defaultdict
from xml.etree import ElementTree as ET

from services.tester.playing import Played

_UNPRINTABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(played: list[Played]) -> bytes:
    """Return the document: one suite a file, one case a scenario."""
    files: dict[str, list[Played]] = defaultdict(list)
    for one in sorted(played, key=lambda one: one.place):
        files[one.place.file].append(one)
    root = ET.Element("testsuites", _counts(played))
    for file, cases in files.items():
        suite = ET.SubElement(root, "testsuite", {"name": _clean(file), **_counts(cases)})
        for case in cases:
            _case(suite, case)
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _counts(played: list[Played]) -> dict[str, str]:
    return {
        "tests": str(len(played)),
        "failures": str(sum(one.failure is not None for one in played)),
        "errors": "0",
        "skipped": str(sum(bool(one.skipped) for one in played)),
        "time": f"{sum(one.seconds for one in played):.3f}",
    }


def _case(suite: ET.Element, played: Played) -> None:
    file, line = played.place.file, str(played.place.line)
    known = {"name": _clean(played.name), "classname": _clean(file), "file": _clean(file), "line": line}
    case = ET.SubElement(suite, "testcase", {**known, "time": f"{played.seconds:.3f}"})
    if played.skipped:
        ET.SubElement(case, "skipped", {"message": _clean(played.skipped)})
    failure = played.failure
    if failure is not None:
        found = ET.SubElement(case, "failure", {"message": _clean(failure.sentence)})
        warned = "".join(f"trace: {warning}\n" for warning in failure.warnings)
        compared = f"expected:\n{failure.expected}\nheard:\n{failure.heard}\n"
        found.text = _clean(f"{failure.place}\n{compared}{warned}")


def _clean(text: str) -> str:
    """Leave out what XML cannot carry."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)
