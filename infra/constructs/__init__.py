"""Building blocks that carry the project's rules, so that a stack cannot forget them."""
