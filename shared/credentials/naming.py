"""What a credential's tokens are kept under: its bot, its name, and what the manifest says of it but where secrets are.

A credential described otherwise is another one: it gets tokens of its own, and needs a consent of its own.
"""

import hashlib

import msgspec

from shared.bot.manifest_credentials import Credential, Secret, kind_of


def token_name(bot_id: str, name: str, credential: Credential) -> str:
    """Return 32 hex digits; where its secrets are makes no difference."""
    said = {key: _said(getattr(credential, key)) for key in credential.__struct_fields__}
    content = msgspec.json.encode([bot_id, name, kind_of(credential), said], order="sorted")
    return hashlib.sha256(content).hexdigest()[:32]


def _said(value: object) -> object:
    if isinstance(value, dict):
        return {key: _said(one) for key, one in value.items()}
    return None if isinstance(value, Secret) else value
