"""What is wrong between a bot and its forms: in safe mode somebody has to make their tokens, for what scripts read."""

from collections.abc import Iterator

from services.check.codes import found
from services.check.panels import Panel
from services.check.subject import Subject
from shared.bot.errors import Finding


def check_forms(subject: Subject) -> Iterator[Finding]:
    """Check that forms can post what scripts read."""
    if subject.bot.web_view_mode != "safe":
        return
    makers = [panel for panel in subject.panels if any(use.name == "getWebViewToken" for use in panel.uses)]
    if makers:
        yield from _names_of_tokens(subject, makers)
    elif subject.uses("getWebViewVariable", "getWebViewVariables"):
        note = "scripts read what forms post, and none calls getWebViewToken: no form can post"
        yield found("forms-without-token", "manifest: web_view.mode", note)


def _names_of_tokens(subject: Subject, makers: list[Panel]) -> Iterator[Finding]:
    """Check that a token may be for what scripts read: the name stands as a text where tokens are made."""
    functions = subject.global_functions
    named = {text for panel in [*makers, *([functions] if functions else [])] for text in panel.texts}
    for panel in subject.panels:
        for use in panel.uses:
            if use.name == "getWebViewVariable" and use.literal is not None and use.literal not in named:
                note = f"no script that makes a token names {use.literal!r}: no form can set it"
                yield found("form-variable-without-token", panel.place, note, at=use.at)
