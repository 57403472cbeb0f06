"""The admin console: what holds of every registered model, and what is special to some."""
