"""People, posts and invitations, as a reader may see and change them."""
