"""The composition root of the integration worker: which parts there are, and how a worker is made of them.

`arq services.integration_worker.worker.WorkerSettings` drains the queue of shard 0 with arq's own worker, slower.
"""

from typing import Any

from arq import Retry
from arq.connections import ArqRedis
from arq.worker import Function, func

from services.integration_worker import metrics
from services.integration_worker.bots import CompiledBots
from services.integration_worker.call import Calls
from services.integration_worker.consenting import Consenting
from services.integration_worker.credentials import Credentials
from services.integration_worker.exchange import Exchanges
from services.integration_worker.fetching import Fetching
from services.integration_worker.protecting import Protector
from services.integration_worker.sealed_records import SealedRecords
from services.integration_worker.tokens import Tokens
from services.settings import Settings, foreign_environment, own_files, read_settings
from shared.credentials.consents import PURPOSE as CONSENTS
from shared.credentials.consents import Consents
from shared.credentials.secrets import SecretReader
from shared.credentials.token_store import PURPOSE, RedisTokens, TokenStore
from shared.integration.client import OutboundClient
from shared.privacy.conversation_key import ConversationKeys
from shared.privacy.sealing import Sealer
from shared.queue import jobs
from shared.queue.calling import CallingWorker
from shared.queue.mailbox import Mailbox
from shared.store.bots import Bots
from shared.store.call_keys import consent as consent_key
from shared.store.connection import RedisUnreachable, stock_settings
from shared.store.keys import integration_queue

CALLS_AT_ONCE = 1000  # a call mostly waits
CLAIM_AT_ONCE = 64
REDIS_CONNECTIONS = CALLS_AT_ONCE + 50  # in the worst case every job ends at the same moment


def build_calls(settings: Settings, redis: ArqRedis, client: OutboundClient, protector: Protector) -> Calls:
    """Make what calls are made with; nothing is connected."""
    mailbox = Mailbox(
        redis,
        conversation_ttl=settings.conversation_ttl,
        inbox_limit=settings.inbox_limit,
        trace_ttl=settings.trace_ttl,
        replicated=settings.durability == "replicated",
    )
    bots = CompiledBots(Bots(redis, settings.conversation_ttl))
    store = RedisTokens(redis, Sealer(settings.secrets, PURPOSE)) if settings.secrets else None
    records = SealedRecords(mailbox, ConversationKeys(settings.secrets))
    return Calls(records, bots, build_exchanges(settings, client, protector, store), show=settings.console)


def build_consenting(
    settings: Settings, redis: ArqRedis, client: OutboundClient, protector: Protector
) -> Consenting | None:
    """Make what ends consents; None without a secret to open them with."""
    if not settings.secrets:
        return None
    reader = _reader(settings)
    consents = Consents(redis, Sealer(settings.secrets, CONSENTS))
    tokens = Tokens(RedisTokens(redis, Sealer(settings.secrets, PURPOSE)))
    bots = CompiledBots(Bots(redis, settings.conversation_ttl))
    return Consenting(consents, bots, Fetching(client, reader, protector), tokens)


def build_exchanges(
    settings: Settings, client: OutboundClient, protector: Protector | None, store: TokenStore | None
) -> Exchanges:
    """Make what attempts are made with: nothing limits them without a protector, and a store has the tokens."""
    reader = _reader(settings)
    tokens = None if store is None else Tokens(store)
    return Exchanges(client, Credentials(reader, Fetching(client, reader, protector), tokens), protector)


def _reader(settings: Settings) -> SecretReader:
    closed = (*own_files(), *settings.closed_files)
    return SecretReader(foreign_environment(), commands=settings.secret_commands, closed=closed)


def build_worker(settings: Settings, redis: ArqRedis) -> CallingWorker:
    """Make the worker that drains the integration queues of all shards. Call it within the loop it is to run in."""
    worker = CallingWorker(
        _functions(),
        direct=call,
        queues=[integration_queue(shard) for shard in range(settings.shards)],
        redis_pool=redis,
        max_jobs=CALLS_AT_ONCE,
        claim_at_once=CLAIM_AT_ONCE,
        job_completion_wait=settings.completion_wait,
        on_startup=start,
        on_shutdown=stop,
        ctx={"settings": settings},
    )
    metrics.CALLS_IN_FLIGHT.set_function(lambda: worker.job_counter)
    return worker


def _functions() -> list[Function]:
    return [func(call, name=jobs.CALL), func(consent, name=jobs.CONSENT)]


async def call(ctx: dict[Any, Any], call_id: str) -> None:
    """Make a call (the job `call`). When Redis is away for long the job is run again."""
    calls: Calls = ctx["calls"]
    try:
        await calls.call(call_id)
    except RedisUnreachable as error:
        raise Retry(defer=1) from error


async def consent(ctx: dict[Any, Any], name: str) -> None:
    """Exchange the code of a consent (the job `consent`); a worker without the secret leaves it to another."""
    consenting: Consenting | None = ctx["consenting"]
    try:
        if consenting is not None:
            await consenting.exchange(name)
        elif await ctx["redis"].exists(consent_key(name)):
            raise Retry(defer=1)
    except RedisUnreachable as error:
        raise Retry(defer=1) from error


async def start(ctx: dict[Any, Any]) -> None:
    """Open the outbound client."""
    settings: Settings = ctx["settings"]
    ctx["client"] = client = OutboundClient(settings.rewrite_urls)
    ctx["protector"] = protector = Protector(ctx["redis"])
    ctx["consenting"] = build_consenting(settings, ctx["redis"], client, protector)
    ctx["calls"] = build_calls(settings, ctx["redis"], client, protector)


async def stop(ctx: dict[Any, Any]) -> None:
    """Close the outbound client, and end what uses it."""
    if "calls" in ctx:
        await ctx["calls"].close()
    if "protector" in ctx:
        await ctx["protector"].close()
    if "client" in ctx:
        await ctx["client"].close()


def __getattr__(name: str) -> Any:
    """Make `WorkerSettings` when arq's command line asks for it: nothing is read from the environment before."""
    if name != "WorkerSettings":
        raise AttributeError(name)
    settings = read_settings()
    return {
        "functions": _functions(),
        "queue_name": integration_queue(0),
        "redis_settings": stock_settings(settings.redis_url),
        "max_jobs": CALLS_AT_ONCE,
        "job_completion_wait": settings.completion_wait,
        "on_startup": start,
        "on_shutdown": stop,
        "ctx": {"settings": settings},
        **jobs.worker_settings(),
    }
