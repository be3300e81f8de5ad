"""The register: cities, what they are called, and how they belong to the network."""
