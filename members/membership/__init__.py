"""The life of a membership: applications, decisions, and the steps that tell them."""
