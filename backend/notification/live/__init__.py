"""The live view: one WebSocket a client, snapshots first, then changes (events.md §5).

handshake (authenticate) → sockets (one client) ↔ connection_manager (all) ← Redis ← relay.
`topics` lists the topics and their roles, `snapshots` reads their present state.
"""
