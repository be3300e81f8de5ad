"""Languages: locales and their negotiation, catalogs of strings, and texts that carry their language and age."""
