"""Why a command ends without having done its work: one message for a person, one exit code for a script."""

FINDINGS = 1
WRONG_USE = 2
NO_REDIS = 3
INTERRUPTED = 130


class CommandFailed(Exception):  # noqa: N818 - it is the outcome of a command, said to its user
    """The message says what to mend; `exit_code` is one of design's four."""

    def __init__(self, message: str, exit_code: int = WRONG_USE) -> None:
        super().__init__(message)
        self.exit_code = exit_code
