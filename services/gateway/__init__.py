"""The gateway: accepts messages and callbacks over HTTP and WebSocket, answers at once, runs no bot logic."""
