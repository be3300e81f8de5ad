"""The GraphQL endpoint: request, caches of answers, rates, persisted documents."""
