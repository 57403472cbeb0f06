"""The admin console's pages of queues, workers and slots; importing this registers them all."""

from runs.admin import queues, slots, workers

__all__ = ["queues", "slots", "workers"]
