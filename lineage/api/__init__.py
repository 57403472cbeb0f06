"""Artifacts, models and endpoints over HTTP: access is checked, one query or verb is called."""
