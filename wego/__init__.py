"""The WeGO hub: the application that joins members, practices, languages and the federation."""
