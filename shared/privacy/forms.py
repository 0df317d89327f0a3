"""What a form brings, while it waits in the inbox: its variables and its message sealed, the rest as ever."""

import base64
import binascii

import msgspec

from shared.dialog.events import WebViewCall
from shared.privacy.conversation_key import ConversationKey
from shared.privacy.sealing import CannotOpen

_PLACE = "web_view"


class _Brought(msgspec.Struct, frozen=True, array_like=True):
    """What is sealed; variables alone are what older gateways sealed."""

    variables: dict[str, str]
    message: str | None


_brought: msgspec.msgpack.Decoder[_Brought | dict[str, str]] = msgspec.msgpack.Decoder(_Brought | dict[str, str])


def seal_form(call: WebViewCall, key: ConversationKey) -> WebViewCall:
    """Return a call whose variables and message can be read with the conversation's key only."""
    brought = msgspec.msgpack.encode(_Brought(call.variables, call.message))
    sealed = base64.b64encode(key.seal(brought, _PLACE)).decode()
    return msgspec.structs.replace(call, variables={}, message=None, sealed=sealed)


def open_form(call: WebViewCall, key: ConversationKey) -> WebViewCall:
    """Return a call with its variables and its message. Raises CannotOpen."""
    try:
        found = _brought.decode(key.open(base64.b64decode(call.sealed, validate=True), _PLACE))
    except (binascii.Error, msgspec.DecodeError) as error:
        raise CannotOpen("what a form brought cannot be read: it was changed") from error
    if isinstance(found, dict):
        found = _Brought(found, call.message)
    return msgspec.structs.replace(call, variables=found.variables, message=found.message, sealed="")
