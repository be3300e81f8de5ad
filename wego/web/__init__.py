"""Pages: the same services and reads, for people."""
