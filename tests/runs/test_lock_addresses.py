"""uv asks what a lock file names: nothing inside the networks of this machine."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from django.conf import LazySettings

from runs.environments import building, lock_addresses
from runs.environments.rows import Row
from runs.environments.venvs import BuildFailed

HASH = f" --hash=sha256:{'a' * 64}\n"
INWARD = [
    "x @ http://169.254.169.254/x-1.0-py3-none-any.whl",
    "x @ http://2852039166/x-1.0-py3-none-any.whl",
    "x@https://localhost:8443/x-1.0-py3-none-any.whl",
    "x @ git+ssh://git@127.0.0.1/x.git",
    "http://[::1]/x-1.0-py3-none-any.whl",
    "--index-url=http://10.0.0.1/simple",
    "-i http://user:word@10.0.0.1/simple",
    "--find-links http://192.168.1.1/",
    "x @ ht\\\ntp://10.0.0.1/x-1.0-py3-none-any.whl",
    "# a remark \\\n--index-url http://10.0.0.1/simple",
    "# a remark\r--index-url http://10.0.0.1/simple",
]
ODD = [
    "x @ http:10.0.0.1/x.whl",
    "x @ http:\\\\10.0.0.1/x.whl",
    "x @ http://%31%30.0.0.1/x.whl",
    "x @ https://１0.0.0.1/x",
]


@pytest.mark.parametrize("line", INWARD)
def test_an_address_that_leads_inward_is_refused(line: str) -> None:
    with pytest.raises(BuildFailed, match=r"the lock file names .* is not a public address"):
        lock_addresses.check((line + HASH).encode())


@pytest.mark.parametrize("line", ODD)
def test_an_address_that_may_be_read_in_two_ways_is_refused(line: str) -> None:
    with pytest.raises(BuildFailed, match="write it as https://host/path"):
        lock_addresses.check((line + HASH).encode())


def test_what_the_administrator_named_is_asked(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ORCHESTRATOR = {**settings.ORCHESTRATOR, "INNER_ADDRESSES": ["10.0.0.1"]}
    monkeypatch.setenv("UV_INDEX", "ours=http://10.0.0.2/simple other")
    lines = ("x @ http://10.0.0.1/x.whl", "--index-url http://10.0.0.2/simple", "y==1.0", "z @ file:///z.whl")
    lock_addresses.check("".join(line + HASH for line in lines).encode() + b"# see http://10.0.0.3/\n")


@pytest.mark.django_db
def test_no_environment_is_built_of_it(settings: LazySettings, tmp_path: Path) -> None:
    settings.ORCHESTRATOR = {**settings.ORCHESTRATOR, "CACHE": str(tmp_path)}
    lock = (INWARD[0] + HASH).encode()
    digest = hashlib.sha256(lock).hexdigest()
    with pytest.raises(BuildFailed, match="the lock file names"):
        building.interpreter(digest, lambda: lock)
    assert Row(digest, "").rows.get().state == "failed"
