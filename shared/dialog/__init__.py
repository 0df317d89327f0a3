"""The engine: pure functions from (bot, session, event) to (session, effects, trace)."""
