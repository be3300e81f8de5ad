"""A token and a query with the hub's own client (federation/client.py and federation/jose.py, which can be copied).

python with_library.py CLIENT_FILE ['{ viewer { kind } }']
"""

import sys
from pathlib import Path

import httpx2

from federation.client import HubClient

query = sys.argv[2] if len(sys.argv) > 2 else "{ viewer { kind clientId scopes } }"
hub = HubClient.from_file(Path(sys.argv[1]))

with httpx2.Client(auth=hub.auth("graphql:query")) as http:  # gets tokens and makes proofs by itself
    print(http.post(hub.resource, json={"query": query}).text)
