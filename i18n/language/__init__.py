"""Languages: locales and their negotiation, catalogs of strings, and localized texts in the API."""
