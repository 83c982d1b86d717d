"""A model of the workflow, explored exhaustively.

One task, two robots and people, with reports and events that are lost, repeated and reordered.
The tables and the sets of statuses are those of the product. Its guards are restated by name
(`rules.Guard`), so that each can be switched off: the explorer then has to find a violation.

Why they are restated: LEASE_*, ASSIGN_FIT and HEARTBEAT_* are conditions of SQL statements;
LOADING_PROOF, CREATE_*, VOID_*, PENDING_HAS_NONE, ONE_OUTCOME, DUE_AGAIN, EVENT_NEWEST, RETRY_OPEN,
RELEASE_OFFLINE and the REPORT_* read rows of a session; BRIDGE_* is another program. Those that are
pure in the product (allowed actions, driving stages, the order of reports) are compared with it in
every state by `tests/workflow/test_model_guards.py`.
"""
