"""A model of the workflow, explored exhaustively.

One task, two robots and people, with reports and events that are lost, repeated and reordered.
The tables are those of the product; its guards are restated by name (`rules.Guard`), so that each
can be switched off: the explorer then has to find a violation.
"""
