"""Signatures: keys, signed tokens, proofs of possession, and what was used before."""
