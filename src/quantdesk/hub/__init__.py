"""The hub: what the desk publishes, as WebSocket streams."""
