"""The dashboard's API: what a partner's people see and do. Each route parses, calls, answers."""
