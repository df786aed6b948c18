"""The dashboard API serves a partner's people. Each route parses, calls, answers."""
