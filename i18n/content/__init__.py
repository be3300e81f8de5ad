"""Texts that carry their language, origin and age: documents, blocks, versions, translations and their readings."""
