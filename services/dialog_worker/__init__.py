"""The dialog worker: takes the lease of a conversation, has its turns run, commits them, and sweeps."""
