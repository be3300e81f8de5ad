"""The case studies of the demonstration, and how they are written into a hub."""
