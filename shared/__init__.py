"""What at least two programs need: the bot, its engine, and the adapters around them."""
