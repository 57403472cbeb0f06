"""The environments of code locations: their rows, builds by uv, interpreters, and how they are removed."""
