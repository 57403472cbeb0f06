"""The admin console's pages of queues, workers, slots and limits; importing this registers them all."""

from runs.admin import limits, queues, slots, workers

__all__ = ["limits", "queues", "slots", "workers"]
