"""`make soak`: ten minutes of chaos; SECONDS=30 SEED=7 for others. Exits 1 on any violation."""

from __future__ import annotations

import logging
import os
import random
import signal
import sys
import time

import django

from tests.orchestrator_site.running import folder_for_all
from tests.walks.product import product


def main() -> None:
    seconds = float(os.environ.get("SECONDS") or 600)
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(10_000))
    # Whoever ends it early still has everything stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print(f"a soak of {seconds:g} s with the seed {seed}", flush=True)
    began = time.monotonic()
    with folder_for_all() as folder, product(folder / "home") as running:
        os.environ["ORCHESTRATOR_HOME"] = str(running.up.home)
        os.environ["DJANGO_SETTINGS_MODULE"] = "orchestrator_site.settings"
        django.setup()
        logging.getLogger("httpx").setLevel("WARNING")
        # Only now there is a home whose settings can be read.
        from tests.soak import play, table

        scene, found = play.perform(running, folder, seconds, seed)
        print("\n".join(["", *table.lines(scene, found, seconds, seed)]))
    print(f"it took {time.monotonic() - began:.0f} s in all")
    sys.exit(1 if found.violations else 0)


if __name__ == "__main__":
    main()
