"""The servers of the embedded default: a real PostgreSQL and a real Redis under ORCHESTRATOR_HOME."""
