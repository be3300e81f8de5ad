"""Texts with languages, as the API shows and takes them, for whatever thing has them: see `owner` and `inputs`."""
