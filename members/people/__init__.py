"""People, their posts, and the invitations that bring them in."""
