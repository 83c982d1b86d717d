"""The live view: one WebSocket a client, snapshots first, then changes (events.md §5).

handshake (who) → sockets (one client) ↔ hub (who watches what) ← Redis ← the relay.
`topics` says what may be watched, `snapshots` what it looks like now.
"""
