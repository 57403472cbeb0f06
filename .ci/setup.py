"""`make setup`: virtual environment, locked dependencies, frontend, environment of the demo.

Each step is skipped when nothing it depends on has changed.
"""

from __future__ import annotations

import re
import sys
import tempfile
import venv
from pathlib import Path

from tools import (
    FRONTEND,
    NODE_WHEEL,
    PYTHON,
    ROOT,
    STAMPS,
    VENV,
    digest,
    files_under,
    is_stamped,
    node_command,
    npm,
    run,
    say,
    stamp,
)

REQUIREMENTS = ROOT / "requirements"
NOT_INPUTS = ("node_modules", "dist", "e2e", "test-results", "playwright-report")


def main() -> None:
    set_up_python()
    set_up_command()
    set_up_frontend()
    set_up_demo()


def set_up_python() -> None:
    lock = REQUIREMENTS / "dev.txt"
    wanted = digest([lock], str(VENV), sys.version)
    if PYTHON.exists() and is_stamped("python", wanted):
        return
    if not PYTHON.exists():
        say("making .venv")
        venv.create(VENV, with_pip=True, clear=VENV.exists())
    if not (VENV / "bin" / "uv").exists():
        install_uv(lock)
    say("installing the locked dependencies")
    run(VENV / "bin" / "uv", "pip", "sync", "--quiet", "--python", PYTHON, "--require-hashes", lock)
    stamp("python", wanted)


def set_up_command() -> None:
    """`.venv/bin/orchestrator`: the command line of this checkout."""
    script = VENV / "bin" / "orchestrator"
    text = (
        f"#!{PYTHON}\n"
        "import sys\n\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        "from orchestrator_site.cli import main\n\n"
        "main()\n"
    )
    if not script.exists() or script.read_text() != text:
        script.write_text(text)
        script.chmod(0o755)


def install_uv(lock: Path) -> None:
    """The one package that pip installs: the locked uv, which installs the others in seconds."""
    entry = re.search(r"^uv==.*?(?=^\S)", lock.read_text(), re.MULTILINE | re.DOTALL)
    if entry is None:
        sys.exit(f"-- {lock} has no entry for uv: run `make lock`")
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as only_uv:
        only_uv.write(entry.group())
        only_uv.flush()
        options = ("--quiet", "--disable-pip-version-check", "--require-hashes")
        run(PYTHON, "-m", "pip", "install", *options, "-r", only_uv.name)


def set_up_frontend() -> None:
    inputs = [path for path in files_under(FRONTEND, NOT_INPUTS) if ".test." not in path.name]
    wanted = digest(inputs)
    built = (FRONTEND / "dist" / "index.html").exists() and is_stamped("frontend", wanted)
    packages = digest([FRONTEND / "package.json", FRONTEND / "package-lock.json"])
    installed = (FRONTEND / "node_modules").is_dir() and is_stamped("node_modules", packages)
    if built and installed:
        return
    if node_command() is None:
        install_node()
    if not installed:
        say("installing the frontend's packages")
        if npm("ci", "--no-progress"):
            sys.exit("-- failed: npm ci")
        stamp("node_modules", packages)
    if not built:
        say("building the frontend")
        if npm("run", "--silent", "build"):
            sys.exit("-- failed: npm run build")
        run(PYTHON, "-m", "whitenoise.compress", "--quiet", "--no-brotli", FRONTEND / "dist" / "assets")
        stamp("frontend", wanted)


def install_node() -> None:
    say("installing Node.js from its wheel, as the system has none that is new enough")
    STAMPS.mkdir(exist_ok=True)
    options = ("--quiet", "--python", PYTHON, "--target", NODE_WHEEL, "--require-hashes")
    run(VENV / "bin" / "uv", "pip", "install", *options, "-r", REQUIREMENTS / "node.txt")


def set_up_demo() -> None:
    """The environment of the demo's tasks; the command itself skips what is there already."""
    wanted = digest([*ROOT.glob("*/demo_code/*.lock")], str(ROOT), sys.version)
    if is_stamped("demo", wanted) and any((ROOT / ".venv-tasks").glob("*")):
        return
    say("building the environment of the demo's tasks")
    run(PYTHON, "manage.py", "environments", "build", "--demo")
    stamp("demo", wanted)


if __name__ == "__main__":
    main()
