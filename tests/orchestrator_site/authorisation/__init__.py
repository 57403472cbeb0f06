"""Who may call which address: one table per app, walked by ``test_authorisation_matrix``."""
