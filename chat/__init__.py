"""Chat rooms over WebSocket: frames, moderation, fan-out, presence and the gift command."""
