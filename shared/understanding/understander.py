"""What understands a text; another library, or a service, takes the place of the local one behind this protocol."""

from typing import Protocol

import msgspec

from shared.dialog.events import ConsumerMessage, Event, Understood, WebViewCall


class Understander(Protocol):
    """Tells what a text may mean. The same text always means the same."""

    def understand(self, text: str) -> Understood:
        """Return intents, best first, with scores in CB's bands, and entities in the order of the text."""


def text_to_understand(event: Event) -> str:
    """Return what is to be understood of an event, which is what rules and starters compare; empty: nothing."""
    match event:
        case ConsumerMessage(understood=Understood(intents=[], entities=[], failure="")):
            return (event.payload or event.text).strip()
        case WebViewCall(late=False, understood=Understood(intents=[], entities=[], failure="")):
            return (event.message or "").strip()
        case _:
            return ""


def with_understood(event: Event, understood: Understood) -> Event:
    """Return an event that carries what was understood of its text."""
    return msgspec.structs.replace(event, understood=understood)


def understand_event(event: Event, understander: Understander | None) -> Event:
    """Return an event with what its text means; one that was understood already, or has no text, stays as it is."""
    if understander is None:
        return event
    text = text_to_understand(event)
    return with_understood(event, understander.understand(text)) if text else event
