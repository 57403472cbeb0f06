"""`make lock`: requirements/*.in -> *.txt with hashes, for every platform, naming no index and no machine."""

from __future__ import annotations

from tools import ROOT, VENV, run, say

OPTIONS = [
    "--generate-hashes",
    "--universal",
    "--python-version=3.11",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--no-header",
    "--no-config",
    "--quiet",
    "--upgrade",
]


def main() -> None:
    folder = ROOT / "requirements"
    for name, also in (("base", []), ("dev", ["--constraints", "base.txt"]), ("node", [])):
        say(f"locking requirements/{name}.txt")
        run(
            VENV / "bin" / "uv",
            "pip",
            "compile",
            f"{name}.in",
            "-o",
            f"{name}.txt",
            *OPTIONS,
            *also,
            cwd=folder,
        )


if __name__ == "__main__":
    main()
