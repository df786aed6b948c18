"""The ports' twins in memory: same behaviour, no AWS, no waiting. They pass the contract suite."""
