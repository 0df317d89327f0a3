"""The mailbox of a conversation and the doorbell worker that drains it."""
