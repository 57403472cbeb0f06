"""The sabotages: lines that somebody might well write; each name says what the engine does wrong then."""

from __future__ import annotations

from typing import Final

from tests.mutants.sabotages.attempts import CLAIMS, RETRIES, THE_FENCE
from tests.mutants.sabotages.recovery import PLACES, RECOVERY, STEPS
from tests.mutants.sabotages.runs import AROUND, JUDGING, PEOPLE
from tests.mutants.sabotages.unseen import UNSEEN

SABOTAGES: Final = (
    *THE_FENCE,
    *RETRIES,
    *CLAIMS,
    *JUDGING,
    *PEOPLE,
    *AROUND,
    *UNSEEN,
    *STEPS,
    *RECOVERY,
    *PLACES,
)
