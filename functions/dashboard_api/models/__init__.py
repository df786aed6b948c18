"""Models hold the inputs with their limits, and the views made from domain records."""
