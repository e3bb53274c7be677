"""WebRTC in (WHIP) and out (WHEP), the RTP relay between them, and the catalogue of streams."""
