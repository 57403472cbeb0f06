"""Real repositories: on disk, behind git's own HTTP program with a password, behind an SSH server."""

from __future__ import annotations

import asyncio
import base64
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncssh

USER, PASSWORD = "builder", "walnut-7d1f-paravent"
BLOCKS = 'def load(rows: int = 10) -> dict:\n    """Loads rows."""\n    return {}\n'
PROGRAMS = Path(
    subprocess.run(["git", "--exec-path"], capture_output=True, text=True, check=True).stdout.strip()
)
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Ana",
    "GIT_AUTHOR_EMAIL": "ana@example.org",
    "GIT_COMMITTER_NAME": "Ana",
    "GIT_COMMITTER_EMAIL": "ana@example.org",
}


@dataclass
class Repository:
    """A work tree whose commits are what a server gives out."""

    folder: Path
    made: int = 0

    def git(self, *words: str, **environment: str) -> str:
        done = subprocess.run(
            ["git", *words],
            cwd=self.folder,
            env={**ENVIRONMENT, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def commit(self, subject: str = "", **files: str) -> str:
        """Write files (``steps__py`` is steps.py, ``a/b__py`` too) and commit all there is; the sha."""
        for name, text in files.items():
            path = self.folder / name.replace("__", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.git("add", "-A")
        self.made += 1
        # Each commit a minute after the one before, as people make them.
        date = f"{1_760_000_000 + 60 * self.made} +0200"
        subject = subject or f"Change {self.made}"
        self.git(
            "commit", "-q", "--allow-empty", "-m", subject, GIT_AUTHOR_DATE=date, GIT_COMMITTER_DATE=date
        )
        return self.git("rev-parse", "HEAD")


def make_repository(folder: Path) -> Repository:
    """An empty one, on the branch main."""
    folder.mkdir(parents=True)
    made = Repository(folder)
    made.git("init", "-q", "-b", "main")
    return made


# --- http -----------------------------------------------------------------------------------------------


@dataclass
class Web:
    """What a server over HTTP saw. ``asked``: each request's line and its Authorization."""

    address: str
    asked: list[tuple[str, str]] = field(default_factory=list)
    redirect: str = ""


@contextmanager
def served_by_http(root: Path) -> Iterator[Web]:
    """The repositories below ``root`` behind `git http-backend`, for USER with PASSWORD only."""
    web = Web("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

        def _answer(self, body: bytes) -> None:
            allowed = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
            given = self.headers.get("Authorization", "")
            web.asked.append((self.requestline, given))
            if web.redirect:
                self._send(302, [("Location", web.redirect + self.path)], b"")
            elif given != allowed:
                self._send(401, [("WWW-Authenticate", 'Basic realm="code"')], b"no")
            else:
                self._send(*_backend(root, self, body))

        def _send(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    web.address = f"http://localhost:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield web
    finally:
        server.shutdown()
        server.server_close()


def _backend(
    root: Path, request: BaseHTTPRequestHandler, body: bytes
) -> tuple[int, list[tuple[str, str]], bytes]:
    parts = urlsplit(request.path)
    environment = {
        **ENVIRONMENT,
        "GIT_PROJECT_ROOT": str(root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "REQUEST_METHOD": request.command,
        "PATH_INFO": parts.path,
        "QUERY_STRING": parts.query,
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
        "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
        "REMOTE_USER": USER,
    }
    done = subprocess.run(
        [PROGRAMS / "git-http-backend"], input=body, env=environment, capture_output=True, check=False
    )
    head, _, content = done.stdout.partition(b"\r\n\r\n")
    headers = [tuple(line.split(": ", 1)) for line in head.decode().split("\r\n") if ": " in line]
    status = next((int(value.split()[0]) for name, value in headers if name == "Status"), 200)
    return status, [(name, value) for name, value in headers if name != "Status"], content


# --- ssh ------------------------------------------------------------------------------------------------


@dataclass
class Shell:
    """A server over SSH. ``key``: the private key that it lets in, ``host_line``: its line of known_hosts."""

    address: str
    key: str
    host_line: str
    asked: list[str] = field(default_factory=list)


@contextmanager
def served_by_ssh(port: int = 0) -> Iterator[Shell]:
    """Runs `git-upload-pack` for one key; any path of this machine is a repository."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    host_key = asyncssh.generate_private_key("ssh-ed25519")
    shell = Shell("", key.export_private_key().decode(), "")
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()

    async def serve(process: asyncssh.SSHServerProcess[bytes]) -> None:
        command = process.command or ""
        shell.asked.append(command)
        if not command.startswith("git-upload-pack '"):
            process.exit(126)
            return
        git = await asyncio.create_subprocess_exec(
            "git", "upload-pack", command.split("'")[1], env=ENVIRONMENT | {"GIT_CONFIG_COUNT": "0"},
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        await process.redirect(stdin=git.stdin, stdout=git.stdout, stderr=git.stderr)
        process.exit(await git.wait())
        await process.wait_closed()  # or what it has begun for the redirection is never awaited

    async def start() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            "127.0.0.1",
            port,
            server_host_keys=[host_key],
            authorized_client_keys=asyncssh.import_authorized_keys(key.export_public_key().decode()),
            process_factory=serve,
            encoding=None,
        )

    server = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    found = server.get_port()
    shell.address = f"ssh://git@localhost:{found}"
    public = host_key.export_public_key().decode().strip()
    shell.host_line = f"[localhost]:{found} {public}"

    async def stop() -> None:
        server.close()
        await server.wait_closed()

    try:
        yield shell
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
