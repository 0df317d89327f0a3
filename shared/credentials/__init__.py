"""Credentials of calls: secrets by reference, tokens kept sealed and shared, client certificates."""
