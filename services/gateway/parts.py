"""What the handlers share: built once in app.py, found in `request.app[PARTS]`."""

from dataclasses import dataclass

from aiohttp import web
from arq.connections import ArqRedis

from services.gateway.access import Access
from services.gateway.console import Console
from services.gateway.form_sealing import FormSealing
from services.gateway.limits import Network, RateLimit
from services.gateway.notifications import Notifications
from services.gateway.tokens import Tokens
from services.gateway.web_view_admission import WebViewAdmission
from services.gateway.web_view_limits import WebViewLimits
from services.settings import Settings
from shared.credentials.consents import Consents
from shared.queue.mailbox import Mailbox
from shared.store.bots import Bots


@dataclass(frozen=True)
class Parts:
    """The gateway's parts."""

    settings: Settings
    redis: ArqRedis
    mailbox: Mailbox
    bots: Bots
    tokens: Tokens
    access: Access
    console: Console
    notifications: Notifications
    create_limit: RateLimit
    trusted_proxies: tuple[Network, ...]
    web_view_limits: WebViewLimits
    consents: Consents
    web_view_admission: WebViewAdmission
    form_sealing: FormSealing


PARTS = web.AppKey("parts", Parts)
