"""Signing in, by every way and against every trick."""
