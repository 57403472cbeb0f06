"""sql: a query in a database. Recognised, not carried out yet."""

from __future__ import annotations

from pipelines.task_kinds.base import VALUES, Kind


class Sql(Kind):
    """Any keys are taken, as they are not settled; what it gives is not known."""

    name = "sql"
    label = "an sql task"
    title = "SQL query"
    description = "Runs a query in a database."
    category = "Data"
    available = False
    open_keys = True
    takes_secrets = True
    keys = {"with": VALUES}
