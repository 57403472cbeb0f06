"""Pages against words, artifacts and other sites that mean harm, in a real browser."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.walks.product import Product
from tests.walks.visitor import Visitor

pytestmark = [pytest.mark.slow, pytest.mark.browser]

HARM = "<img src=x onerror=window.harmed=1><script>window.harmed=1</script>"
SAYS_HARM = f"""  say:
    kind: shell
    title: "{HARM}"
    description: "{HARM}"
    outputs: {{page: file}}
    run: |
      printf '%s\\n' '{HARM}'
      printf '\\033]8;;javascript:window.harmed=1\\033\\\\a link\\033]8;;\\033\\\\ \\033[31mred\\033[0m\\n'
      printf '%s' '<!doctype html><script>window.harmed=1</script>' > $OUT/page
      echo '{HARM}' >&2
      exit $AGAIN
"""


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-background-networking"]
        )
        yield launched
        launched.close()


@pytest.fixture
def visitor(browser: Browser, shop: Product) -> Iterator[Visitor]:
    context = browser.new_context()
    found = Visitor(shop, context)
    found.sign_in()
    yield found
    context.close()


def harmed(page: Page) -> bool:
    return bool(page.evaluate("() => Boolean(window.harmed)"))


@pytest.mark.parametrize("end", ["0", "3"])
def test_markup_in_names_logs_and_causes_is_shown_as_it_was_written(
    visitor: Visitor, shop: Product, end: str
) -> None:
    name = shop.publish(SAYS_HARM.replace("$AGAIN", end))
    run = shop.start(name)
    shop.wait(run)
    visitor.goto(f"/runs/{run}?task=say&tab=log")
    expect(visitor.page.get_by_text(HARM).first).to_be_visible()
    expect(visitor.page.get_by_text("a link").first).to_be_visible()
    assert visitor.page.locator("a[href^='javascript']").count() == 0
    for path in (f"/runs/{run}?task=say", f"/pipelines/demo:{name}", f"/pipelines/demo:{name}/edit"):
        visitor.goto(path)
        visitor.page.wait_for_load_state("networkidle")
        assert not harmed(visitor.page), path
    assert visitor.troubles == []


def test_a_page_in_an_artifact_is_downloaded_and_never_shown(visitor: Visitor, shop: Product) -> None:
    run = shop.start(shop.publish(SAYS_HARM.replace("$AGAIN", "0")))
    shop.wait(run)
    [output] = shop.details(run, "say")["outputs"]
    content = f"{visitor.address}/api/v1/artifacts/{output['artifact']}/content/"
    with visitor.page.expect_download() as download:
        visitor.page.evaluate("address => { window.location = address; }", content)
    assert b"window.harmed" in download.value.path().read_bytes()
    visitor.goto(f"/artifacts/{output['artifact']}")
    visitor.page.wait_for_load_state("networkidle")
    assert not harmed(visitor.page)
    # Nor does it run as a script of a page of ours.
    assert visitor.page.evaluate(LOADS_SCRIPT, content) == "error"


LOADS_SCRIPT = """(address) => new Promise((resolve) => {
    const script = Object.assign(document.createElement('script'), {src: address});
    script.onload = () => resolve('loaded');
    script.onerror = () => resolve('error');
    document.head.append(script);
})"""

# What markup could do that somebody smuggled into the page, and what must come of it.
SMUGGLED = {
    "an inline script": "<script>window.harmed = 1</script>",
    "an event handler": "<img src=/static/nothing.png onerror='window.harmed = 1'>",
    "a style": "<p id=styled style='color: rgb(1, 2, 3)'>x</p>",
    "a form to elsewhere": "<form id=away action='http://127.0.0.1:9/'><input name=a></form>",
    "a picture of elsewhere": "<img src='http://127.0.0.1:9/pixel.png'>",
    "a frame": "<iframe src='/pipelines'></iframe>",
    "a base": "<base href='http://127.0.0.1:9/'>",
    "an address of code": "<a id=link href='javascript:window.harmed = 1'>x</a>",
}
WRITE = """(markup) => new Promise((resolve) => {
    const refused = [];
    document.addEventListener('securitypolicyviolation', (event) => refused.push(event.effectiveDirective));
    const range = document.createRange();
    range.selectNode(document.body);
    document.body.append(range.createContextualFragment(markup));
    document.querySelector('#away')?.submit();
    document.querySelector('#link')?.click();
    setTimeout(() => resolve(refused), 300);
})"""


@pytest.mark.parametrize("what", SMUGGLED)
def test_what_was_smuggled_into_a_page_is_refused_by_the_policy(what: str, visitor: Visitor) -> None:
    refused = visitor.page.evaluate(WRITE, SMUGGLED[what])
    assert refused, f"{what} was let through"
    assert not harmed(visitor.page)


def test_no_text_is_carried_out_as_code(visitor: Visitor) -> None:
    told = "() => { try { return String(window.eval('1 + 1')); } catch (error) { return error.name; } }"
    # The debugger's own evaluation is exempt from the policy, a timer of the page is not.
    later = f"() => new Promise((resolve) => setTimeout(() => resolve(({told})()), 0))"
    assert visitor.page.evaluate(later) == "EvalError"


@contextmanager
def other_site(page: str) -> Iterator[str]:
    """A page at another port of localhost, which is another origin of the same site: cookies go with it."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()


@pytest.fixture
def stranger(visitor: Visitor) -> Iterator[Page]:
    """A page of another site in the browser of somebody who is signed in."""
    with other_site("<!doctype html><title>Elsewhere</title>") as address:
        page = visitor.page.context.new_page()
        page.goto(address)
        yield page


def test_another_site_cannot_frame_a_page(visitor: Visitor, stranger: Page) -> None:
    stranger.evaluate(
        "address => document.body.append(Object.assign(document.createElement('iframe'), {src: address}))",
        f"{visitor.address}/pipelines",
    )
    stranger.wait_for_timeout(1000)
    [_, frame] = stranger.frames
    assert "Pipelines" not in frame.content()


READS = """async (address) => {
    try {
        return (await fetch(address, {credentials: 'include'})).status;
    } catch (error) {
        return error.name;
    }
}"""
WRITES = """async (address) => {
    try {
        await fetch(address, {method: 'POST', credentials: 'include', mode: 'no-cors',
            headers: {'Content-Type': 'text/plain'}, body: JSON.stringify({name: 'forged', team: 'demo'})});
    } catch {
        // The answer is kept from the page; whether the request did something is what counts.
    }
}"""
LISTENS = """(address) => new Promise((resolve) => {
    const socket = new WebSocket(address);
    socket.onopen = () => resolve('open');
    socket.onerror = () => resolve('refused');
})"""


def test_another_site_cannot_read_write_or_listen(visitor: Visitor, shop: Product, stranger: Page) -> None:
    assert stranger.evaluate(READS, f"{visitor.address}/api/v1/me/") == "TypeError"
    stranger.evaluate(WRITES, f"{visitor.address}/api/v1/pipelines/")
    assert shop.get("pipelines/", q="forged")["results"] == []
    socket = f"{visitor.address.replace('http', 'ws')}/ws/live/"
    assert stranger.evaluate(LISTENS, socket) == "refused"
    assert visitor.page.evaluate(LISTENS, socket) == "open", "our own page may listen"


def test_the_documentation_of_the_api_is_drawn_under_the_policy(visitor: Visitor) -> None:
    visitor.goto("/api/v1/docs/")
    expect(visitor.page.get_by_text("/api/v1/pipelines/", exact=True).first).to_be_visible()
    assert visitor.troubles == []
