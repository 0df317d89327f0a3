"""Names from a bot's file on a terminal: what would steer the terminal is shown instead of obeyed."""


def plain(text: str) -> str:
    """Return a text on one line in which control and format characters are written as escapes."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)
