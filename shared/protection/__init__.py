"""Protection of the APIs that bots call: limits shared by all integration workers, decided in Redis."""
