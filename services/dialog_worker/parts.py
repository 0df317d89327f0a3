"""What the jobs of a dialog worker are done with."""

from dataclasses import dataclass, field

from services.dialog_worker.domains import LookedUp
from services.dialog_worker.form_tokens import FormTokenMaker
from services.dialog_worker.leases import Leases
from services.dialog_worker.turn_processes import TurnProcesses
from services.dialog_worker.versions import Versions
from services.settings import Settings
from shared.privacy.consumer_data import ConsumerData
from shared.privacy.conversation_key import ConversationKeys
from shared.queue.mailbox import Mailbox
from shared.store.context import Context
from shared.understanding.endpoint import Endpoint


@dataclass(frozen=True)
class Parts:
    """Made once, when the worker starts."""

    settings: Settings
    mailbox: Mailbox
    leases: Leases
    versions: Versions
    context: Context
    processes: TurnProcesses
    keys: ConversationKeys = field(default_factory=lambda: ConversationKeys(()))
    consumer_data: ConsumerData = field(default_factory=lambda: ConsumerData(()))
    looked_up: LookedUp | None = None
    endpoint: Endpoint = field(default_factory=Endpoint)
    form_tokens: FormTokenMaker = field(default_factory=lambda: FormTokenMaker(()))
