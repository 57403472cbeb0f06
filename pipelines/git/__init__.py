"""Git repositories as sources of code, read with the system's `git` and never trusted. No ORM.

address.py   what may be written as an address, a ref and a folder
faults.py    what git says when it fails, as sentences with a way out
session.py   one conversation with one repository: credentials, host keys, limits
mirror.py    the commits that were fetched, and their files
worktree.py  whether a folder of the server holds what its commit holds
"""

from __future__ import annotations

from pipelines.git.address import Address
from pipelines.git.faults import GitFault
from pipelines.git.mirror import Commit, Mirror, Tip
from pipelines.git.session import Session, opened

__all__ = ["Address", "Commit", "GitFault", "Mirror", "Session", "Tip", "opened"]
