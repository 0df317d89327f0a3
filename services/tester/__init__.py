"""Holds bots to their word: conversations written down in YAML, played against the engine or an installation."""
