"""The table of settings as a person reads it: below `--help`, and as docs/settings.md."""

from collections.abc import Collection

from services.settings import SETTINGS, Setting, Settings, shown

DOCUMENT = "docs/settings.md"


def epilog(without: Collection[str] = ()) -> str:
    """Return the settings for the end of a program's `--help`, marked so that click keeps their lines.

    `without` are fields of Settings that the program does not read.
    """
    lines = []
    for setting in SETTINGS:
        if setting.field in without:
            continue
        default = _default(setting)
        lines += [f"  {setting.variable}{f'={default}' if default else ''}", f"      {setting.about}"]
    return "\b\nSettings, from the environment (a secret also from the file named by <variable>_FILE):\n" + "\n".join(
        lines
    )


def document() -> str:
    """Return the content of docs/settings.md."""
    rows = [
        f"| `{setting.variable}`{' (or `_FILE`)' if setting.secret else ''} | {setting.about} | {setting.form.hint} "
        f"| {f'`{_default(setting)}`' if _default(setting) else 'none'} |"
        for setting in SETTINGS
    ]
    return "\n".join([*_HEAD, "| variable | what it is for | what to give | default |", "|---|---|---|---|", *rows, ""])


def _default(setting: Setting) -> str:
    value = getattr(Settings(), setting.field)
    if setting.field.endswith("_ttl"):
        days, seconds = divmod(int(value), 86400)
        return f"{days}d" if not seconds else f"{seconds // 3600}h"
    return f"{value:g}" if isinstance(value, float) else shown(value)


_HEAD = [
    "# Settings",
    "",
    "All programs read the same variables, once, when they start. A value that cannot be used, or a variable that",
    "looks like a misspelt one, stops the program with a message that names it (exit code 2). Secrets may be kept in a",
    "file: give its path in `<variable>_FILE`. `botlane run` sets what a laptop needs by itself: Redis, a secret, free",
    "operations ports, the console, traces kept for a day, and commands that manifests name for secrets.",
    "",
]
