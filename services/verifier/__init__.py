"""Proves the guarantees of an installation from outside: a load, its history, and a checker that knows no internals."""
