"""Domain objects for tests: sensible as they come, changed by naming what matters."""
