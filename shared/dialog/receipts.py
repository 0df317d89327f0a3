"""What owners of forms are told: from which Web View call each variable is, and what a turn made of the calls.

Facts are words and names of interactions, never a value. Their receipts are kept outside the session, for 24 hours
(shared/queue/receipts.py); a turn without Web View variables leaves none.
"""

from collections.abc import Iterable, Mapping

from shared.dialog.effects import ReceiptFact

READ = "read:"
_NAME = 100  # of an interaction, in a fact
_OVERHEAD = 8


class Receipts:
    """The receipts of one session. `origins` maps the name of a variable to the receipt of the call that set it."""

    def __init__(self, origins: Mapping[str, str]) -> None:
        self.origins = dict(origins)
        self.facts: list[ReceiptFact] = []

    def keep(self, names: Iterable[str], receipt: str) -> int:
        """Remember which call set these variables; return how many characters more that takes.

        A call without a receipt leaves nothing to tell.
        """
        grows = 0
        for name in names:
            if not receipt:
                self.origins.pop(name, None)
            elif name not in self.origins:
                grows += len(name) + len(receipt) + _OVERHEAD
            if receipt:
                self.origins[name] = receipt
        return grows

    def note(self, receipt: str, fact: str) -> None:
        """Tell the owner of a call something, once."""
        told = ReceiptFact(receipt, fact)
        if receipt and told not in self.facts:
            self.facts.append(told)

    def read(self, name: str | None, reader: str) -> None:
        """Tell that an interaction read a variable, None: all of them."""
        if not self.origins:
            return
        found = self.origins.values() if name is None else [self.origins.get(name, "")]
        for receipt in dict.fromkeys(found):
            self.note(receipt, READ + reader[:_NAME])
