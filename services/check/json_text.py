"""Whether a template can become JSON at all, whatever its variables hold."""

import msgspec

from shared.bot.templates import Template, quoted_after

# What may stand for a variable outside quotes: a value, nothing, the rest of a list, one member of an object.
_STAND_INS = ("0", "", ",0", '"a":0', ',"a":0', "{}", "[]")


def is_json(template: Template) -> bool:
    """Tell whether there are values with which the template is JSON; the same stand-in serves all its variables."""
    if template.placeholders and all(not isinstance(part, str) or not part.strip() for part in template.parts):
        return True
    return any(_is_json(_filled(template, stand_in)) for stand_in in _STAND_INS)


def _is_json(text: str) -> bool:
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return False
    return True


def _filled(template: Template, stand_in: str) -> str:
    """Render with a stand-in for every variable; inside quotes any word will do."""
    text = ""
    quoted = False
    for part in template.parts:
        if not isinstance(part, str):
            text += "x" if quoted else stand_in
            continue
        text += part
        quoted = quoted_after(part, quoted=quoted)
    return text
