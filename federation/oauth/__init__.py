"""The authorization server, its programs, and the verifier of their tokens."""
