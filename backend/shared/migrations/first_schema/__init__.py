"""The first schema, one module per owner; `versions/0001` puts them together."""
