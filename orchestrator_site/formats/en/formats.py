"""Day before month, and no words for the half of the day."""

from __future__ import annotations

DATETIME_FORMAT = "j M Y, H:i"
