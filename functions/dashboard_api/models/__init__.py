"""What crosses the wire: inputs with their limits, and views made from domain records."""
