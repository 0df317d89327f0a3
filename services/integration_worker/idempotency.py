"""The key by which an API knows that it is asked for the same thing again."""

import uuid

import msgspec

from shared.bot.integration import Integration
from shared.integration.request import Request

_KEYS = uuid.UUID("0d0f2d3c-7d0e-5b39-9a39-2d3d0a6c2b61")
_HEADER = "Idempotency-Key"


def with_idempotency_key(request: Request, integration: Integration, call_id: str) -> Request:
    """Add the idempotency key, the same for all attempts, if the integration has one.

    It is made of the call id, which itself would tell others the conversation's.
    """
    if not integration.policy.idempotency_key or request.header(_HEADER) is not None:
        return request
    key = str(uuid.uuid5(_KEYS, call_id))
    return msgspec.structs.replace(request, headers={**request.headers, _HEADER: key})
