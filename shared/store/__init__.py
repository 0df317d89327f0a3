"""What lives in Redis outside the mailbox: keys, bots, context data, connections."""
