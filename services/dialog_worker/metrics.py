"""The numbers of a dialog worker, served at its operations port."""

from prometheus_client import Counter, Histogram

TURNS = Counter("botlane_turns", "Turns committed, by kind of event", ["event"])
TURN_SECONDS = Histogram("botlane_turn_seconds", "Time that the engine took for a turn, all runs together")
ENGINE_FAILURES = Counter("botlane_engine_failures", "Turns that failed; each is tried three times")
DEAD_EVENTS = Counter("botlane_dead_events", "Events given up, by reason", ["reason"])
LEASES_LOST = Counter("botlane_leases_lost", "Conversations that another worker took over in mid-turn")
RECOVERED = Counter("botlane_recovered", "Conversations that the sweeper gave a new job")
UNDERSTANDING = Counter("botlane_understanding", "Texts that an endpoint was asked about, by outcome", ["outcome"])
