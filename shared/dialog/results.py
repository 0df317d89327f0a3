"""What a call's outcome becomes for scripts and templates: the `api_…` object, and the custom data fields.

CB: reference/dialogs.md 4.2 and 4.3. The object holds its result as JSON text, since a transform script may
replace that text before the custom data fields are read from it. No digit of a number is lost on the way: what
JavaScript would round is read as text.
"""

import re
from typing import Any, Final, NamedTuple

import msgspec

from shared.bot.integration import Integration
from shared.bot.storable import read_exactly
from shared.dialog.events import CallOutcome
from shared.dialog.xml_results import XmlRefused, is_xml, xml_json

Missing = msgspec.UnsetType
MISSING: Final = msgspec.UNSET

_EACH: Final = "[i]"
_STEP = re.compile(
    r"\.?(?:(?P<name>[^.\[\]]+)|\[(?P<index>\d{1,9})\]|\[(?P<each>[iI*])\]|\[(?P<quote>['\"])(?P<key>.*?)(?P=quote)\])"
)


class ParsedOutcome(NamedTuple):
    """`api` is the value of `api_<variable>`, `status` that of `api_<variable>Status` (0: no answer).

    `problem` says, without values, why the answer could not be read as what it claims to be.
    """

    api: dict[str, Any]
    status: int
    problem: str = ""


def parse_outcome(integration: Integration, outcome: CallOutcome) -> ParsedOutcome:
    """Return what scripts see of an outcome; a call without an answer has the body null."""
    if outcome.status == 0:
        return ParsedOutcome(api_object(integration.variable, "null"), 0)
    content_type = next((value for name, value in outcome.headers.items() if name.lower() == "content-type"), "")
    body, problem = "", ""
    if is_xml(outcome.body, content_type):
        try:
            body = xml_json(outcome.body, _listed(integration))
        except XmlRefused as error:
            problem = str(error)
    body = body or body_json(outcome.body, content_type)
    return ParsedOutcome(api_object(integration.variable, body), outcome.status, problem)


def _listed(integration: Integration) -> set[tuple[str, ...]]:
    """Return the paths below `api_X` that custom data fields read as lists: in XML one element looks like none."""
    listed: set[tuple[str, ...]] = set()
    for field in integration.fields:
        names: list[str] = []
        for step in (_steps(field.path) or ())[1:]:
            if isinstance(step, int) or step == _EACH:
                listed.add(tuple(names))
            else:
                names.append(step)
    return listed


def body_json(body: str, content_type: str = "") -> str:
    """Return the JSON text that stands for a body.

    JSON stays as it was written, so that no digit is lost; anything else, the empty body too, becomes a JSON
    string. A body that is not called JSON is read as JSON only if it is an object or an array: `1e5` is text.
    """
    text = body.lstrip("\ufeff").strip()
    media_type = content_type.partition(";")[0].strip().lower()
    if "json" in media_type or not media_type or text[:1] in {"{", "["}:
        try:
            msgspec.json.decode(text, type=Any)
        except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
            pass
        else:
            return text
    return msgspec.json.encode(body.encode(errors="replace").decode()).decode()


def api_object(variable: str, body: str) -> dict[str, Any]:
    """Return the value of `api_<variable>` for a body that is JSON text already."""
    name = msgspec.json.encode(f"api_{variable}").decode()
    return {"jsonData": f"{{{name}:{body}}}"}


def custom_fields(integration: Integration, json_data: str) -> dict[str, Any]:
    """Return `Name.field` and `Name.field.count` for every custom data field (R10, R11).

    `json_data` is the text of `jsonData` after the transform script. A field with `[i]` is the list of its
    elements' values, aligned by index (None where an element has none). A field that is not there is None
    with count 0, so that an earlier call's value never shines through. The names are the integration's and
    its response variable's.
    """
    try:
        root = read_exactly(json_data)
    except ValueError:
        root = MISSING
    fields: dict[str, Any] = {}
    for field in integration.fields:
        value = evaluate_path(field.path, root)
        for name in dict.fromkeys((integration.name, integration.variable)):
            fields[f"{name}.{field.key}"] = None if value is MISSING else value
            fields[f"{name}.{field.key}.count"] = _count(value)
    return fields


def evaluate_path(path: str, root: Any) -> Any | Missing:
    """Return the value at a path such as `api_X.list[0].name`, or MISSING.

    The path may stand in its braces and begin with `$.`. With `[i]` the answer is the list of the values of
    all elements, None where one has no such value. As in CB, `[i]` cannot stand directly after `api_X`
    (reference/scripting.md 4): a transform script wraps such an array first.
    """
    steps = _steps(path)
    if steps is None or (len(steps) > 1 and steps[1] == _EACH and str(steps[0]).startswith("api_")):
        return MISSING
    return _walk(steps, root)


def _steps(path: str) -> tuple[str | int, ...] | None:
    """Split a path into names, indices and `[i]`; None when it cannot be read."""
    text = path.strip().removeprefix("{").removesuffix("}").strip().removeprefix("$")
    steps: list[str | int] = []
    position = 0
    while position < len(text):
        found = _STEP.match(text, position)
        if found is None:
            return None
        if found["each"]:
            steps.append(_EACH)
        elif found["index"]:
            steps.append(int(found["index"]))
        else:
            steps.append((found["name"] or "").strip() or found["key"] or "")
        position = found.end()
    return tuple(steps) or None


def _walk(steps: tuple[str | int, ...], value: Any) -> Any | Missing:
    for position, step in enumerate(steps):
        if step == _EACH:
            if not isinstance(value, list):
                return MISSING
            found = (_walk(steps[position + 1 :], element) for element in value)
            return [None if element is MISSING else element for element in found]
        value = _member(value, step)
        if value is MISSING:
            return MISSING
    return value


def _member(value: Any, step: str | int) -> Any | Missing:
    match value, step:
        case list(), int() if step < len(value):
            return value[step]
        case dict(), str() if step in value:
            return value[step]
        case dict(), int() if str(step) in value:
            return value[str(step)]
        case _:
            return MISSING


def _count(value: Any | Missing) -> int:
    match value:
        case list():
            return len(value)
        case msgspec.UnsetType() | None:
            return 0
        case _:
            return 1
