"""The integration worker: the only program that calls out on behalf of a bot."""
