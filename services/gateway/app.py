"""The composition root: what the gateway is made of."""

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web
from arq.connections import ArqRedis

from services.gateway.access import Access
from services.gateway.access_log import access_log
from services.gateway.console import Console
from services.gateway.cross_origin import preflight, set_headers
from services.gateway.errors import errors
from services.gateway.form_sealing import FormSealing
from services.gateway.limits import RateLimit, networks
from services.gateway.notifications import Notifications
from services.gateway.parts import PARTS, Parts
from services.gateway.routes import add_routes
from services.gateway.tokens import Tokens
from services.gateway.web_view_admission import WebViewAdmission
from services.gateway.web_view_limits import WebViewLimits
from services.settings import Settings
from shared.credentials.consents import PURPOSE, Consents
from shared.privacy.sealing import Sealer
from shared.queue.mailbox import Mailbox
from shared.store.bots import Bots


def build_app(settings: Settings, redis: ArqRedis) -> web.Application:
    """Return the gateway on a Redis connection that the caller closes. Raises SettingsError."""
    ttl = settings.conversation_ttl
    mailbox = Mailbox(
        redis,
        conversation_ttl=ttl,
        inbox_limit=settings.inbox_limit,
        trace_ttl=settings.trace_ttl,
        replicated=settings.durability == "replicated",
    )
    bots = Bots(redis, ttl, mailbox.batches)
    tokens = Tokens(settings.secrets)
    proxies = networks(settings.trusted_proxies)
    app = web.Application(middlewares=[access_log, errors, preflight])
    app[PARTS] = Parts(
        settings=settings,
        redis=redis,
        mailbox=mailbox,
        bots=bots,
        tokens=tokens,
        access=Access(tokens, settings.channel_keys, mailbox),
        console=Console(settings, tokens),
        notifications=Notifications(redis, settings.shards),
        create_limit=RateLimit(settings.create_rate),
        trusted_proxies=proxies,
        web_view_limits=WebViewLimits(settings, proxies, mailbox),
        consents=Consents(redis, Sealer(settings.secrets, PURPOSE)),
        web_view_admission=WebViewAdmission(settings.secrets, mailbox, bots),
        form_sealing=FormSealing(settings, mailbox, bots),
    )
    add_routes(app.router)
    app.on_response_prepare.append(set_headers)
    app.on_shutdown.append(_stop_waiting)
    app.cleanup_ctx.append(_notifications)
    return app


async def _notifications(app: web.Application) -> AsyncIterator[None]:
    listening = asyncio.create_task(app[PARTS].notifications.run())
    yield
    while not listening.done():
        listening.cancel()  # more than once: redis-py loses a cancellation that arrives while it connects
        await asyncio.wait({listening}, timeout=0.1)


async def _stop_waiting(app: web.Application) -> None:
    app[PARTS].notifications.stop()
