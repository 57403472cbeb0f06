"""Two verbs of the engine at once, the order of their locks forced, never left to luck."""
