"""The verbs of the engine that are SQL, and the partitions and triggers around them."""
