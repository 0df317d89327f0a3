"""Understanding: what a text means, by the phrases in a bot's manifest or by an endpoint that knows."""
