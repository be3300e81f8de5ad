"""Programs and peers: the authorization server, proofs of possession, and the verifier of tokens."""
