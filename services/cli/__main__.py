"""Starts the command line: `python -m services.cli` and `botlane`."""

import sys

from services.cli.ctrl_c import ended_by_ctrl_c


def main(arguments: list[str] | None = None) -> None:
    """Run one command and exit with 0, 1, 2, 3 or 130; what went wrong is one message on stderr."""
    with ended_by_ctrl_c():
        from services.cli.ending import run_command  # noqa: PLC0415 - these take half a second, in which Ctrl-C counts
    sys.exit(run_command(arguments))


if __name__ == "__main__":
    main()
