from __future__ import annotations

from django.apps import AppConfig


class LineageConfig(AppConfig):
    name = "lineage"

    def ready(self) -> None:
        """Register with the rooms below what they must do without knowing this one."""
        from lineage import chores, handlers, queries, recorder, sweeps
        from lineage.models import Endpoint, Model
        from pipelines import grants
        from pipelines.lookups import lookups
        from runs import chores as run_chores
        from runs import kinds, metrics, signals
        from runs import sweeps as run_sweeps

        kinds.register_handler("register", handlers.register_model)
        kinds.register_handler("deploy", handlers.deploy_model)
        kinds.register_preparer("register", handlers.prepare_register)
        kinds.register_preparer("deploy", handlers.prepare_deploy)
        lookups.endpoints = queries.endpoints_for
        grants.lendable(Endpoint, grants.USE)
        grants.lendable(Model, "view", grants.USE, lasting=True)
        run_chores.register_nudge(chores.RECORD, recorder.record_politely)
        signals.attempt_finished.connect(chores.ask_to_record, dispatch_uid="lineage.record")
        run_sweeps.register(sweeps.sweep)
        run_chores.register(chores.TIDY, chores.tidy)
        run_sweeps.register(chores.ask_to_tidy)
        metrics.register(
            "orchestrator_records_lag_seconds",
            "Age of the oldest finished attempt that has no record yet.",
            recorder.lag,
        )
