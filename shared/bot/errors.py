"""What can be wrong with a bot, said to its author."""

import msgspec


class BotError(Exception):
    """A bot cannot be loaded: the message names the file, the place in it, and what to mend."""

    def __init__(self, file: str, place: str, problem: str, remedy: str) -> None:
        where = f"{file}: {place}: " if place else f"{file}: "
        super().__init__(f"{where}{problem}. {remedy}")
        self.file = file
        self.place = place
        self.problem = problem
        self.remedy = remedy


class Finding(msgspec.Struct, frozen=True):
    """Something in a bot its author should know, though it loads.

    `code` is a stable word (`unknown-key`, `dangling-target`, …), `place` where it is in the author's words (names of
    dialogs and interactions), `note` a sentence.
    """

    code: str
    place: str
    note: str
