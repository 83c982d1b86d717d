"""Commands on keys and on the audit trail."""
