"""Hostile inputs, fuzzing of the described API, secrets and locks of the repository."""
