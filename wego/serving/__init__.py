"""The server that faces the net: sockets, connections, processes, and how they end. Knows nothing of what is served."""
