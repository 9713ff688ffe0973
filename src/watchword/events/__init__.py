"""Events: when a score becomes an event, and a video a verdict."""
