"""What is wrong between a bot and its forms: in safe mode somebody has to make their tokens."""

from collections.abc import Iterator

from services.check.codes import found
from services.check.subject import Subject
from shared.bot.errors import Finding


def check_forms(subject: Subject) -> Iterator[Finding]:
    """Check that forms can post what scripts read."""
    reads = subject.uses("getWebViewVariable", "getWebViewVariables")
    if subject.bot.web_view_mode == "safe" and reads and not subject.uses("getWebViewToken"):
        note = "scripts read what forms post, and none calls getWebViewToken: no form can post"
        yield found("forms-without-token", "manifest: web_view.mode", note)
