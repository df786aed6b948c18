"""The domain holds pure rules and values; input, output and the clock belong to other packages."""
