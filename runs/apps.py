from __future__ import annotations

from django.apps import AppConfig


class RunsConfig(AppConfig):
    name = "runs"

    def ready(self) -> None:
        """Tell the room below what it asks about queues and runs; say who carries out which chores."""
        from pipelines.signals import code_synced, rights_changed, sync_wanted
        from runs import admission, chores, code, judging, live, lookups, retention, slots, sweeps, watch
        from runs.alerts import email
        from runs.environments import building, unused
        from runs.signals import run_finished

        lookups.register()
        chores.register("alert", email.deliver)
        chores.register("invariants", watch.look)
        chores.register("build", building.carry_out)
        chores.register("prune", unused.carry_out_prune)
        chores.register(code.SYNC, code.carry_out_sync)
        chores.register(code.LOOK, code.carry_out_look)
        chores.register(retention.CHORE, retention.carry_out_chore)
        chores.register_nudge(judging.NUDGE, judging.catch_up)
        code_synced.connect(building.when_synced)
        rights_changed.connect(live.rights_changed)
        run_finished.connect(admission.when_finished)
        sync_wanted.connect(code.when_wanted)
        sweeps.register(watch.ask_hourly)
        sweeps.register(admission.sweep)
        sweeps.register(judging.sweep)
        sweeps.register(slots.sweep)
        sweeps.register(code.ask_to_look)
        sweeps.register(unused.ask_daily)
        sweeps.register(retention.ask)
