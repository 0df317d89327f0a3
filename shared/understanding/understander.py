"""What understands a text; another library, or a service, takes the place of the local one behind this protocol."""

from typing import Protocol

from shared.bot.understanding import Understanding
from shared.dialog.events import ConsumerMessage, Event, Understood, WebViewCall


class Understander(Protocol):
    """Tells what a text may mean. The same text always means the same."""

    def understand(self, text: str) -> Understood:
        """Return intents, best first, with scores in CB's bands, and entities in the order of the text."""


def text_of_event(event: Event) -> str:
    """Return the text of an event that is to be understood; empty when there is none."""
    match event:
        case ConsumerMessage(text=text):
            return text.strip()
        case WebViewCall(message=str(message), late=False):
            return message.strip()
        case _:
            return ""


def names_intents(understanding: Understanding) -> bool:
    """Tell whether texts are understood at all."""
    return understanding.local or bool(understanding.url)
