"""Reviews, as those who take part in them may see and write them."""
