"""What an understander would have made of a text, for tests: intents with their scores, entities with their words."""

from shared.dialog.events import Entity, Intent, Understood


def understood(scores: dict[str, float] | None = None, **entities: str | tuple[str, str]) -> Understood:
    """Return intents by name, best first, and entities by name (words, or words and value)."""
    intents = [Intent(name, score) for name, score in (scores or {}).items()]
    found = [
        Entity(name, words, words) if isinstance(words, str) else Entity(name, *words)
        for name, words in entities.items()
    ]
    return Understood(sorted(intents, key=lambda one: -one.score), found)
