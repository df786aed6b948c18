"""The two stacks of a stage: data that is kept, and the service that can be replaced."""
