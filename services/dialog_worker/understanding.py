"""Asking a bot's endpoint what a text means, before the turn. Without an endpoint the turn process understands it."""

import structlog

from services.dialog_worker import metrics
from services.dialog_worker.parts import Parts
from shared.dialog.events import Event
from shared.dialog.session import Conversation
from shared.understanding.understander import text_to_understand, with_understood

log = structlog.get_logger()


async def understood(parts: Parts, version: str, conversation: Conversation, event: Event) -> Event:
    """Return the event with what the endpoint made of its text; a failure is part of that. Raises VersionGone."""
    text = text_to_understand(event)
    if not text or conversation.status != "open":
        return event
    facts = await parts.versions.facts(version)
    if not facts.understanding.url:
        return event
    found = await parts.endpoint.understand(text, facts.understanding, facts.private)
    metrics.UNDERSTANDING.labels("failed" if found.failure else "done").inc()
    if found.failure:
        log.warning("a text was not understood", reason=found.failure)
    return with_understood(event, found)
