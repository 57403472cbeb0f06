"""A run is watched through the real web process, its failure is told by a real mail server, and all that must
hold does hold afterwards."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from tests.orchestrator_site.running import folder_for_all, up
from tests.runs.postman import Postman, working_postman
from tests.walks.product import PASSWORD, Product

pytestmark = pytest.mark.slow

TASKS = """\
  hello:
    kind: shell
    run: for n in 1 2 3; do echo "line $n"; sleep 0.3; done
  trip:
    kind: shell
    needs: [hello]
    run: echo "about to fail"; exit 3
    retries: {limit: 1, base: 100ms, on: [exit]}
"""


@pytest.fixture(scope="module")
def postman() -> Iterator[Postman]:
    with working_postman() as found:
        yield found


@pytest.fixture(scope="module")
def product(postman: Postman) -> Iterator[Product]:
    with (
        folder_for_all() as folder,
        up(
            folder / "home",
            ORCHESTRATOR_ADMIN_PASSWORD=PASSWORD,
            EMAIL_URL=f"smtp://127.0.0.1:{postman.port}",
        ) as running,
    ):
        yield Product(running)


def sign_in(product: Product) -> str:
    """The session cookie of the admin, got as the page gets it."""
    with httpx.Client(base_url=product.up.address) as browser:
        browser.get("/_allauth/browser/v1/auth/session")
        answer = browser.post(
            "/_allauth/browser/v1/auth/login",
            json={"username": "admin", "password": PASSWORD},
            headers={"X-CSRFToken": browser.cookies["csrftoken"], "Origin": product.up.address},
        )
        assert answer.status_code == 200, answer.text
        return str(browser.cookies["sessionid"])


@contextmanager
def live(product: Product, cookie: str, origin: str = "") -> Iterator[ClientConnection]:
    address = product.up.address.replace("http", "ws", 1) + "/ws/live/"
    headers = {"Cookie": f"sessionid={cookie}"}
    with connect(address, origin=Origin(origin or product.up.address), additional_headers=headers) as found:
        yield found


def subscribe(channel: ClientConnection, kind: str, name: str) -> Any:
    """The answer to a subscription; what the engine says meanwhile is passed over."""
    channel.send(json.dumps({"verb": "subscribe", "kind": kind, "id": name}))
    while (message := json.loads(channel.recv(5)))["type"] in ("run", "log", "batch"):
        pass
    return message


def messages(channel: ClientConnection, patience: float = 20.0) -> Iterator[Any]:
    """Every message until none has come for ``patience`` seconds."""
    while True:
        message = json.loads(channel.recv(patience))
        yield from message["messages"] if message["type"] == "batch" else [message]


def test_a_page_watches_a_run_and_the_owner_gets_one_mail_of_its_failure(
    product: Product, postman: Postman
) -> None:
    cookie = sign_in(product)
    name = product.publish(TASKS)
    with live(product, cookie) as channel:
        assert subscribe(channel, "fleet", "*")["seq"] is None
        run = product.start(name)
        assert subscribe(channel, "run", run)["type"] == "subscribed"
        states, logs, seqs = [], [], []
        for message in messages(channel):
            if message["type"] == "log":
                logs.append(message["lines"])
            elif message["id"] == run:
                states.append(message["state"])
                seqs.append(message["seq"])
            if states and states[-1] == "failed":
                break
    assert seqs == sorted(seqs)
    assert logs
    last = product.get(f"runs/{run}/")
    assert (last["state"], last["cause"]["task"], last["cause"]["message"]) == ("failed", "trip", "exit 3")
    assert last["last_seq"] == seqs[-1]
    product.until(lambda: bool(postman.mails), "a mail", 20, run)
    time.sleep(3)  # a second one would have come with the next sweep
    (mail,) = postman.mails
    assert postman.to == ["admin@localhost"]
    assert mail["Subject"] == f"demo:{name} #1 failed at trip: exit 3"
    text = postman.text()
    assert "Task:      trip, attempt 2" in text
    assert "    about to fail" in text
    assert f"/runs/{run}?task=trip&attempt=2&tab=log" in text


def test_a_page_of_another_site_and_one_without_a_session_open_no_socket(product: Product) -> None:
    cookie = sign_in(product)
    port = int(product.up.address.rsplit(":", 1)[1])
    for kept, origin in ((cookie, "http://evil.example"), (cookie, f"http://localhost:{port + 1}"), ("", "")):
        with pytest.raises(InvalidStatus), live(product, kept, origin):
            pass


def read_to_the_end(channel: ClientConnection) -> None:
    while True:
        channel.recv(5)


def test_a_flood_of_messages_ends_the_socket_and_not_the_product(product: Product) -> None:
    cookie = sign_in(product)
    with live(product, cookie) as channel:
        for _ in range(30):
            channel.send("{}")
        with pytest.raises(ConnectionClosed):
            read_to_the_end(channel)
        assert channel.protocol.close_code == 4429
    with live(product, cookie) as channel:
        assert subscribe(channel, "fleet", "*")["type"] == "subscribed"


def test_the_log_of_a_run_comes_down_whole(product: Product) -> None:
    name = product.publish("  loud:\n    kind: shell\n    run: seq 1 200000\n")
    run = product.start(name)
    assert product.wait(run)["state"] == "succeeded"
    attempt = product.details(run, "loud")["attempts"][0]
    assert attempt["log_lines"] == 200_000
    answer = product.api.get(f"attempts/{attempt['id']}/log/download")
    assert answer.text.splitlines() == [str(number) for number in range(1, 200_001)]
    page = product.get(f"attempts/{attempt['id']}/log/", offset=199_990)
    assert page["lines"] == [str(number) for number in range(199_991, 200_001)]
    assert (page["total"], page["complete"], page["dropped_bytes"]) == (200_000, True, 0)


def test_all_that_must_hold_does_hold_afterwards(product: Product) -> None:
    assert "BROKEN" not in product.manage("invariants")
