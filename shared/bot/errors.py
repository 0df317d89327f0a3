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


def place_and_problem(error: msgspec.ValidationError) -> tuple[str, str]:
    """Take apart what msgspec says: where (`groups[1].name`, `top level`), and what, in the words of other errors."""
    problem, _, place = str(error).partition(" - at `")
    place = place.rstrip("`").removeprefix("$").lstrip(".") or "top level"
    return place, problem[:1].lower() + problem[1:].replace("`", "'")


class Finding(msgspec.Struct, frozen=True):
    """Something in a bot its author should know, though it loads.

    `code` is a stable word (`unknown-key`, `dangling-target`, …), `place` where it is in the author's words (names of
    dialogs and interactions), `note` a sentence. `level` is `error` (it cannot work as written), `warning` or `info`;
    `line` and `column` count from 1 within the script of the place, 0 when it is not about a line.
    """

    code: str
    place: str
    note: str
    level: str = "warning"
    line: int = 0
    column: int = 0
