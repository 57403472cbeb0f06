"""placeholder: a step that an import could not translate, with its edges and the original snippet.

Recognised, not carried out yet.
"""

from __future__ import annotations

from pipelines.task_kinds.base import VALUES, Kind


class Placeholder(Kind):
    """Any keys are taken, as they are not settled; what it gives is not known."""

    name = "placeholder"
    label = "a placeholder"
    title = "Placeholder"
    description = "Stands for what an import could not translate."
    category = "Imported"
    available = False
    open_keys = True
    takes_secrets = True
    keys = {"with": VALUES}
