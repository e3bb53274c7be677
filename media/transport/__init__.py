"""One UDP port: STUN answered, DTLS handshakes, SRTP keys, the socket."""
