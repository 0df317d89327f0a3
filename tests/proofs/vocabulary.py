"""What a bot listens to: texts that its starters and rules are meant for."""

from shared.bot.model import Bot, Interaction
from shared.bot.model_rules import ChoiceCondition, ExactCondition, PatternCondition


def vocabulary(bot: Bot) -> list[str]:
    """Collect what a bot's starters and rules listen to."""
    said = ["hi"]
    for one in bot.interactions.values():
        said += [_instance(pattern.source) for pattern in one.patterns] + answers_to(one)
        said.append(one.name)
    return [text[:8000] for text in said]


def answers_to(question: Interaction) -> list[str]:
    said = [choice.source for choice in question.choices]
    said += [(reply.payload or reply.title).source for reply in question.quick_replies]
    said += [button.callback.source for tile in question.tiles for button in tile.buttons]
    for rule in question.rules:
        match rule.condition:
            case PatternCondition(patterns, _):
                said += [_instance(pattern.source) for pattern in patterns]
            case ChoiceCondition(value) | ExactCondition(value):
                said.append(value)
            case _:
                pass
    return said


def _instance(pattern: str) -> str:
    """Give a text such as the pattern is meant for: the first alternative of each bracket, nothing for a star."""
    text, skipping = "", 0
    for character in pattern:
        if character == "|" and not skipping:
            skipping = 1
        elif skipping:
            skipping += {"(": 1, ")": -1}.get(character, 0)
        elif character not in "*()":
            text += character
    return text
