"""What a form brings, while it waits in the inbox: its variables sealed, the rest as ever."""

import base64
import binascii

import msgspec

from shared.dialog.events import WebViewCall
from shared.privacy.conversation_key import ConversationKey
from shared.privacy.sealing import CannotOpen

_PLACE = "web_view"
_variables = msgspec.msgpack.Decoder(dict[str, str])


def seal_form(call: WebViewCall, key: ConversationKey) -> WebViewCall:
    """Return a call whose variables can be read with the conversation's key only."""
    sealed = base64.b64encode(key.seal(msgspec.msgpack.encode(call.variables), _PLACE)).decode()
    return msgspec.structs.replace(call, variables={}, sealed=sealed)


def open_form(call: WebViewCall, key: ConversationKey) -> WebViewCall:
    """Return a call with its variables. Raises CannotOpen."""
    try:
        variables = _variables.decode(key.open(base64.b64decode(call.sealed, validate=True), _PLACE))
    except (binascii.Error, msgspec.DecodeError) as error:
        raise CannotOpen("the variables of a form cannot be read: they were changed") from error
    return msgspec.structs.replace(call, variables=variables, sealed="")
