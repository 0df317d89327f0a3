"""What is checked: a compiled bot with its manifest, its scripts and the names they may use."""

import msgspec

from services.check.panels import GLOBAL_FUNCTIONS, Panel, Use, panels
from services.check.templates import placeholders
from shared.bot.bot import compile_bot
from shared.bot.manifest import Manifest, decode_manifest
from shared.bot.manifest_credentials import Consumer
from shared.bot.model import Bot
from shared.bot.source import BotSource
from shared.bot.templates import Placeholder
from shared.dialog.signing_in import PAGE, TOKEN
from shared.scripting.syntax import KnownNames, known_names

# Variables that functions set under a name of their own.
_SET_BY_FUNCTIONS = {"setUserName": "__userName", "setEmail": "__email"}


class Subject(msgspec.Struct, frozen=True):
    """`bot` and what the checks ask about it."""

    bot: Bot
    manifest: Manifest
    panels: tuple[Panel, ...]
    templates: tuple[tuple[str, tuple[Placeholder, ...]], ...]
    names: KnownNames

    @property
    def global_functions(self) -> Panel | None:
        """The Global Functions, None when the bot has none."""
        return next((panel for panel in self.panels if panel.place == GLOBAL_FUNCTIONS), None)

    @property
    def environment(self) -> frozenset[str]:
        """The names of all environment variables, given or looked up."""
        return frozenset(self.bot.environment) | frozenset(self.bot.domains)

    @property
    def placeholders(self) -> list[Placeholder]:
        """Every placeholder of the bot."""
        return [hole for _, holes in self.templates for hole in holes]

    @property
    def triggers_unknown(self) -> bool:
        """Whether a script chooses the next interaction by a name it puts together while it runs."""
        return any(use.called and use.literal is None for use in self.uses("setTriggerNextMessage"))

    @property
    def sets_unknown(self) -> bool:
        """Whether a script sets variables whose names it puts together while it runs."""
        return any(use.called and use.literal is None for use in self.uses("setBotVariable"))

    def uses(self, *functions: str) -> list[Use]:
        """Return the uses of some functions of `botContext`."""
        return [use for panel in self.panels for use in panel.uses if use.name in functions]

    def variables(self) -> frozenset[str]:
        """Return every name that something in the bot may set: scripts, rules, calls."""
        bot = self.bot
        names = {use.literal for use in self.uses("setBotVariable") if use.literal is not None}
        names |= {_SET_BY_FUNCTIONS[use.name] for use in self.uses(*_SET_BY_FUNCTIONS)}
        for interaction in bot.interactions.values():
            names |= {assignment.name for rule in interaction.rules for assignment in rule.assignments}
            names |= {f"api_{interaction.variable}"} if interaction.variable else set()
        for integration in bot.integrations.values():
            names |= {f"api_{integration.variable}", f"api_{integration.variable}Status"}
            for owner in (integration.name, integration.variable):
                for field in integration.fields:
                    names |= {f"{owner}.{field.key}", f"{owner}.{field.key}.count"}
        return frozenset(names | _signing_in(bot))


def _signing_in(bot: Bot) -> set[str]:
    """Return the names that have a value once a consumer signs in, or has signed in."""
    ways = [one for one in bot.credentials.values() if isinstance(one, Consumer)]
    pages = {PAGE} if any(one.sign_in_url for one in ways) else set()
    return {TOKEN, *pages, *(one.variable for one in ways)}


def subject_of(source: BotSource) -> Subject:
    """Load and compile what is to be checked. Raises BotError."""
    bot = compile_bot(source)
    return Subject(
        bot=bot,
        manifest=decode_manifest(source.manifest, source.manifest_file),
        panels=tuple(panels(bot)),
        templates=tuple(placeholders(bot)),
        names=known_names(),
    )
