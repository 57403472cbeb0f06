"""Other orchestrators, measured with the same shapes: each in its own environment, driven by its own API."""
