"""Pure rules and values: no input, no output, no clock of its own."""
