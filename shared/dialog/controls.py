"""Which control of a question the consumer tapped (CB: reference/scripting.md 1.4; reference/dialogs.md 2.11)."""

from shared.bot.model import Interaction
from shared.dialog.resolve import Resolver
from shared.dialog.work import Work

_KINDS = {"QUICK_REPLY": "quick_reply", "BUTTON": "button", "STRUCTURED": "button"}


def recognise_payload(work: Work, question: Interaction) -> None:
    """Tell which control the text came from: scripts can ask for its payload."""
    kind = _KINDS.get(question.kind)
    payload = work.position.payload
    if kind == "quick_reply" and payload is None:
        resolver = Resolver(work, question)
        said = work.position.text.strip().casefold()
        payloads = [resolver.text(reply.payload) for reply in question.quick_replies if reply.payload]
        payload = next((one for one in payloads if one.strip().casefold() == said), None)
    if kind == "button" and payload is None:
        payload = work.position.text
    work.put(payload=payload, payload_kind=kind)
