"""The bot: an export with its manifest, decoded, linked and compiled into an immutable value."""
