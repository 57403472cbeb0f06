"""Sign-in by an OpenID provider: a real one, and one that lies in every way that we know of."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from allauth.socialaccount.models import SocialAccount, SocialToken
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from pytest_django.fixtures import Settings

from orchestrator_site.signin import tokens
from pipelines import people
from pipelines.errors import Conflict
from pipelines.models import Membership, User
from tests.factories import make_user
from tests.orchestrator_site.signin.browser import Browser, told
from tests.orchestrator_site.signin.providers import (
    CLIENT,
    app_of,
    hostile_provider,
    make_person,
    real_provider,
)

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore::jwt.InsecureKeyLengthWarning")]


@pytest.fixture(scope="module")
def liar() -> Iterator[str]:
    with hostile_provider() as issuer:
        yield issuer


@pytest.fixture(autouse=True)
def fresh(redis_connection: Any, liar: str, settings: Settings) -> None:
    configure(settings, liar)
    behave(liar)


def configure(settings: Settings, issuer: str, **rules: Any) -> None:
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [app_of(issuer, **rules)]}}


def behave(issuer: str, **how: Any) -> None:
    requests.post(f"{issuer}/behave", json=how, timeout=5).raise_for_status()


def asked(issuer: str, path: str) -> dict[str, Any]:
    """The last request of a path that the provider got."""
    found = requests.get(f"{issuer}/asked", timeout=5).json()["asked"]
    return dict(next(each for each in reversed(found) if each["path"] == path))


def begin(browser: Browser, purpose: str = "sign-in", after: str = "/sign-in?next=%2Fruns") -> str:
    answer = browser.tell("auth/provider", provider="corp", purpose=purpose, next=after)
    assert answer.status_code == 200, answer.content
    return str(answer.json()["url"])


def through(address: str) -> str:
    """Where the provider sends the browser back to, path and query."""
    parts = urlsplit(requests.get(address, allow_redirects=False, timeout=5).headers["Location"])
    return f"{parts.path}?{parts.query}"


def go(browser: Browser, **options: str) -> str:
    """To the provider and back; where the browser is in the end."""
    return str(browser.get(through(begin(browser, **options)))["Location"])


def error_in(place: str) -> str | None:
    return parse_qs(urlsplit(place).query).get("error", [None])[0]


# --- a real provider ------------------------------------------------------------------------------------


def test_a_person_signs_in_by_a_real_provider_and_has_an_account_without_roles(settings: Settings) -> None:
    with real_provider() as issuer:
        configure(settings, issuer)
        make_person(issuer)
        for _ in range(2):
            browser = Browser()
            answer = requests.post(begin(browser), data={"sub": "ana"}, allow_redirects=False, timeout=5)
            back = urlsplit(answer.headers["Location"])
            place = browser.get(f"{back.path}?{back.query}")["Location"]
            assert place == "/sign-in?next=%2Fruns"
            assert browser.signed_in_as == "ana"
    person = User.objects.get()
    assert (person.email, person.first_name, person.is_superuser) == ("ana@corp.example", "Ana Lim", False)
    assert not person.has_usable_password()
    assert not Membership.objects.exists()
    assert told("person.create") == [{"username": "ana"}]
    assert told("person.link") == [{"provider": "corp", "email": "ana@corp.example"}]
    assert [row["by"] for row in told("person.sign-in")] == [["socialaccount"], ["socialaccount"]]
    assert not SocialToken.objects.exists()  # what the provider gave is kept nowhere


def test_who_says_no_at_the_provider_comes_back_and_may_try_again(liar: str) -> None:
    behave(liar, back={"error": "access_denied"})
    assert go(Browser()) == "/sign-in?next=%2Fruns&error=cancelled&error_process=login"


# --- what is asked --------------------------------------------------------------------------------------


def test_the_request_carries_state_nonce_and_a_pkce_challenge_new_each_time(liar: str) -> None:
    first, second = (parse_qs(urlsplit(begin(Browser())).query) for _ in range(2))
    assert first["code_challenge_method"] == ["S256"]
    assert first["response_type"] == ["code"]
    for name, least in (("state", 16), ("nonce", 32), ("code_challenge", 43)):
        assert len(first[name][0]) >= least
        assert first[name] != second[name]


def test_the_code_is_redeemed_with_the_verifier_of_its_challenge(liar: str) -> None:
    browser = Browser()
    assert error_in(go(browser)) is None  # the provider refuses a code without its verifier
    assert len(asked(liar, "/token")["form"]["code_verifier"]) >= 43
    assert "client_secret" in asked(liar, "/token")["form"]


# --- hostile answers ------------------------------------------------------------------------------------

HOSTILE: dict[str, dict[str, Any]] = {
    "a wrong issuer": {"claims": {"iss": "https://elsewhere.example"}},
    "no issuer": {"claims": {"iss": None}},
    "a wrong audience": {"claims": {"aud": "another-client"}},
    "no audience": {"claims": {"aud": None}},
    "two audiences and no authorised party": {"claims": {"aud": [CLIENT, "another-client"]}},
    "another authorised party": {"claims": {"aud": [CLIENT, "other"], "azp": "other"}},
    "another authorised party of one audience": {"claims": {"azp": "other"}},
    "a wrong nonce": {"claims": {"nonce": "of-another-sign-in"}},
    "no nonce": {"claims": {"nonce": None}},
    "an expired token": {"claims": {"exp": int(time.time()) - 3600}},
    "no end": {"claims": {"exp": None}},
    "a token of the future": {"claims": {"iat": int(time.time()) + 3600}},
    "a token that is not valid yet": {"claims": {"nbf": int(time.time()) + 3600}},
    "nobody": {"claims": {"sub": None}},
    "a person without a name": {"claims": {"sub": ""}},
    "alg none": {"algorithm": "none"},
    "a secret that the client knows too": {"algorithm": "HS256"},
    "a key of somebody else": {"key": "foreign"},
    "no token": {"token": None, "claims": {"sub": None}},
    "no JWT": {"token": "not.a.jwt"},
    "a token of another kind": {"token": ["x"]},
    "another issuer in its configuration": {"configuration": {"issuer": "https://elsewhere.example"}},
    "keys that cannot be read": {"away": ["/keys"]},
    "a token endpoint that fails": {"away": ["/token"]},
    "somebody else as userinfo": {
        "claims": {"email": None},
        "userinfo": {"sub": "other", "email": "x@y.example"},
    },
    "userinfo that is a list": {"claims": {"email": None}, "userinfo": ["x"]},
}


@pytest.mark.parametrize("how", HOSTILE)
def test_a_hostile_answer_opens_nothing(liar: str, how: str) -> None:
    browser = Browser()
    address = begin(browser)
    back = through(address)
    behave(liar, **HOSTILE[how])
    answer = browser.get(back)
    assert answer.status_code == 302, answer.content
    assert error_in(answer["Location"]) == "unknown"
    assert browser.signed_in_as is None
    assert not User.objects.exists()
    assert not SocialAccount.objects.exists()


def test_a_state_that_nobody_began_opens_nothing(liar: str) -> None:
    browser = Browser()
    behave(liar, back={"state": "made-up"})
    assert error_in(go(browser)) == "unknown"
    assert browser.signed_in_as is None


def test_an_answer_for_another_browser_opens_nothing(liar: str) -> None:
    """Somebody is made to follow a link that would sign them in as somebody else."""
    attacker, victim = Browser(), Browser()
    begin(victim)
    assert error_in(victim.get(through(begin(attacker)))["Location"]) == "unknown"
    assert victim.signed_in_as is None


def test_an_answer_works_once(liar: str) -> None:
    browser = Browser()
    back = through(begin(browser))
    assert error_in(browser.get(back)["Location"]) is None
    browser.tell("auth/session", "DELETE")
    assert error_in(browser.get(back)["Location"]) == "unknown"
    assert browser.signed_in_as is None


def test_a_token_of_an_earlier_sign_in_opens_nothing(liar: str) -> None:
    seen = Browser()
    nonce = parse_qs(urlsplit(begin(seen)).query)["nonce"][0]
    behave(liar, claims={"nonce": nonce})
    browser = Browser()
    assert error_in(go(browser)) == "unknown"


def test_a_code_without_its_verifier_opens_nothing(liar: str) -> None:
    """A stolen code, redeemed in the browser of the thief."""
    victim, thief = Browser(), Browser()
    stolen = parse_qs(urlsplit(through(begin(victim))).query)["code"][0]
    behave(liar, back={"code": stolen})
    assert error_in(go(thief)) == "unknown"


def test_a_token_with_a_changed_payload_opens_nothing(liar: str) -> None:
    def forged(token: str) -> str:
        head, body, signature = token.split(".")
        claims = json.loads(base64.urlsafe_b64decode(body + "=="))
        changed = base64.urlsafe_b64encode(json.dumps({**claims, "sub": "boss"}).encode()).rstrip(b"=")
        return f"{head}.{changed.decode()}.{signature}"

    browser = Browser()
    address = begin(browser)
    query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    code = parse_qs(urlsplit(through(address)).query)["code"][0]
    # A token for the nonce of this sign-in, as a thief of the provider's traffic would have it.
    other = parse_qs(urlsplit(through(address)).query)["code"][0]
    state = browser.session["socialaccount_states"][query["state"]][0]
    form = {"code": other, "code_verifier": state["pkce_code_verifier"]}
    genuine = requests.post(f"{liar}/token", data=form, timeout=5).json()["id_token"]
    behave(liar, token=forged(genuine))
    back = f"/_allauth/browser/v1/auth/provider/corp/back?code={code}&state={query['state']}"
    assert error_in(browser.get(back)["Location"]) == "unknown"


def test_a_provider_that_is_away_is_said_in_words(liar: str, settings: Settings) -> None:
    behave(liar, away=["/.well-known/openid-configuration"])
    answer = Browser().tell("auth/provider", provider="corp", purpose="sign-in", next="/")
    assert (answer.status_code, answer.json()["code"]) == (503, "provider-away")
    configure(settings, "http://127.0.0.1:9")
    assert Browser().tell("auth/provider", provider="corp", purpose="sign-in", next="/").status_code == 503


@pytest.mark.parametrize(
    "body",
    [
        {"provider": "nobody", "purpose": "sign-in", "next": "/"},
        {"provider": "corp", "purpose": "sign-in", "next": "https://elsewhere.example/"},
        {"provider": "corp", "purpose": "sign-in", "next": "//elsewhere.example/"},
        {"provider": "corp", "purpose": "sign-in", "next": "/\\elsewhere.example/"},
        {"provider": "corp", "purpose": "redirect", "next": "/"},
        {"provider": ["x"], "purpose": "sign-in", "next": "/"},
        {},
    ],
)
def test_nobody_is_sent_elsewhere(body: dict[str, Any]) -> None:
    assert Browser().tell("auth/provider", **body).status_code in (400, 404)


# --- who may --------------------------------------------------------------------------------------------


def test_an_address_that_is_not_verified_opens_nothing_unless_it_is_trusted(
    liar: str, settings: Settings
) -> None:
    for unverified in (False, None, "false", 1):
        behave(liar, claims={"email_verified": unverified})
        assert error_in(go(Browser())) == "email_unverified"
    behave(liar, claims={"email": None}, userinfo={"sub": "p-1"})
    assert error_in(go(Browser())) == "no_email"
    configure(settings, liar, verified_email=True)
    behave(liar, claims={"email_verified": None})
    assert error_in(go(Browser())) is None


RULES: list[tuple[dict[str, Any], dict[str, Any], str | None]] = [
    ({"domains": ["corp.example"]}, {}, None),
    ({"domains": ["corp.example"]}, {"email": "ana@evil-corp.example"}, "domain_not_allowed"),
    ({"domains": ["corp.example"]}, {"email": "ana@sub.corp.example"}, "domain_not_allowed"),
    ({"domains": ["corp.example"]}, {"email_verified": False}, "domain_not_allowed"),
    ({"groups": ["ml"]}, {"groups": ["web", "ml"]}, None),
    ({"groups": ["ml"]}, {"groups": ["web"]}, "group_not_allowed"),
    ({"groups": ["ml"]}, {"groups": "ml"}, "group_not_allowed"),
    ({"groups": ["ml"]}, {}, "group_not_allowed"),
    ({"groups": ["ml"], "groups_claim": "roles"}, {"roles": ["ml"]}, None),
    ({"new_accounts": False}, {}, "signup_closed"),
]


@pytest.mark.parametrize("rules, claims, expected", RULES)
def test_only_those_whom_the_operator_named_come_in(
    liar: str, settings: Settings, rules: dict[str, Any], claims: dict[str, Any], expected: str | None
) -> None:
    configure(settings, liar, **rules)
    behave(liar, claims=claims)
    browser = Browser()
    assert error_in(go(browser)) == expected
    assert (browser.signed_in_as is None) == (expected is not None)
    assert User.objects.exists() == (expected is None)


def test_who_leaves_a_group_does_not_come_in_again(liar: str, settings: Settings) -> None:
    configure(settings, liar, groups=["ml"])
    behave(liar, claims={"groups": ["ml"]})
    assert error_in(go(Browser())) is None
    behave(liar, claims={"groups": []})
    assert error_in(go(Browser())) == "group_not_allowed"


def test_an_account_is_not_taken_over_by_an_equal_address(liar: str) -> None:
    owner = make_user("ana", email="ana@corp.example")
    browser = Browser()
    assert error_in(go(browser)) == "email_taken"
    assert browser.signed_in_as is None
    assert not SocialAccount.objects.filter(user=owner).exists()


def test_where_it_is_configured_a_verified_address_links_the_account(liar: str, settings: Settings) -> None:
    owner = make_user("ana", email="Ana@corp.example")
    configure(settings, liar, link_by_email=True)
    behave(liar, claims={"email_verified": False})
    assert error_in(go(Browser())) == "email_unverified"
    behave(liar)
    browser = Browser()
    assert error_in(go(browser)) is None
    assert browser.signed_in_as == "ana"
    owner.refresh_from_db()
    assert owner.has_usable_password()
    # From now on the link holds, not the address.
    behave(liar, claims={"email": "married@corp.example"})
    other = Browser()
    assert error_in(go(other)) is None
    assert other.signed_in_as == "ana"


def test_no_address_opens_the_account_of_a_site_admin(liar: str, settings: Settings) -> None:
    make_user("ana", email="ana@corp.example", is_superuser=True)
    configure(settings, liar, link_by_email=True)
    browser = Browser()
    assert error_in(go(browser)) == "email_taken"
    assert browser.signed_in_as is None


@pytest.mark.parametrize("name", ["token_endpoint", "userinfo_endpoint"])
def test_a_provider_is_asked_over_https_at_each_of_its_addresses(name: str) -> None:
    issuer = "https://id.example"
    addresses = ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint")
    told = {"issuer": issuer, **{each: f"{issuer}/{each}" for each in addresses}}
    assert tokens.checked_configuration(told, issuer) == told
    with pytest.raises(OAuth2Error, match=f"{name} is not https"):
        tokens.checked_configuration({**told, name: "http://id.example/x"}, issuer)


def test_a_suspended_person_is_refused_in_words(liar: str, settings: Settings) -> None:
    assert error_in(go(Browser())) is None
    User.objects.update(is_active=False)
    browser = Browser()
    assert error_in(go(browser)) == "account_inactive"
    assert browser.signed_in_as is None
    SocialAccount.objects.all().delete()
    configure(settings, liar, link_by_email=True)
    assert error_in(go(Browser())) == "account_inactive"


def test_a_user_name_is_made_that_nobody_has(liar: str) -> None:
    make_user("ana")
    for number, claims in enumerate(
        (
            {"preferred_username": "Ana"},
            {"preferred_username": "a na/../<b>"},
            {"preferred_username": "me"},
            {"preferred_username": "", "email": "@@"},
        )
    ):
        email = {"email": f"{number}@corp.example"}
        behave(liar, claims={**email, **claims, **email, "sub": f"p-{number}"})
        assert error_in(go(Browser())) is None
    names = set(User.objects.values_list("username", flat=True))
    assert names >= {"ana", "Ana-2", "a-na-..-b", "me-2"}
    assert len(names) == 5


def test_an_account_that_cannot_be_made_is_said_in_words(liar: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def taken(*_: Any, **__: Any) -> Any:
        raise Conflict("Somebody was faster.")

    monkeypatch.setattr(people, "make_person", taken)
    browser = Browser()
    assert error_in(go(browser)) == "not_made"
    assert browser.signed_in_as is None


# --- an account that is there ---------------------------------------------------------------------------


@pytest.fixture
def alice() -> User:
    return make_user("alice")


@pytest.fixture
def browser(alice: User) -> Browser:
    made = Browser()
    made.sign_in("alice")
    return made


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    now: Callable[[], float] = time.time
    monkeypatch.setattr(time, "time", lambda: now() + seconds)


def test_an_account_links_and_unlinks_while_signed_in(browser: Browser, alice: User) -> None:
    assert go(browser, purpose="link", after="/account") == "/account"
    assert [row["name"] for row in browser.at("account/ways").json()["identities"]] == ["Corp"]
    by_provider = Browser()
    go(by_provider)
    assert by_provider.signed_in_as == "alice"
    number = browser.at("account/ways").json()["identities"][0]["id"]
    stranger = Browser()
    make_user("mallory")
    stranger.sign_in("mallory")
    assert stranger.tell(f"account/identities/{number}").status_code == 404
    assert browser.tell(f"account/identities/{number}").status_code == 204
    assert told("person.unlink") == [{"provider": "corp"}]


def test_linking_asks_again_who_one_is(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    later(monkeypatch, 16 * 60)
    answer = browser.tell("auth/provider", provider="corp", purpose="link", next="/account")
    assert (answer.status_code, answer.json()["code"]) == (403, "reauthentication-required")


def test_a_person_at_a_provider_belongs_to_one_account(browser: Browser) -> None:
    go(browser, purpose="link", after="/account")
    make_user("mallory")
    other = Browser()
    other.sign_in("mallory")
    assert error_in(go(other, purpose="link", after="/account")) == "connected_other"
    assert other.signed_in_as == "mallory"


def test_the_last_way_in_is_not_taken_away(liar: str) -> None:
    browser = Browser()
    go(browser)
    number = browser.at("account/ways").json()["identities"][0]["id"]
    answer = browser.tell(f"account/identities/{number}")
    assert (answer.status_code, answer.json()["code"]) == (409, "last-way")


def test_the_second_factor_is_asked_after_a_provider_too(browser: Browser, alice: User) -> None:
    from pipelines import sealing

    sealing.first_key()
    go(browser, purpose="link", after="/account")
    browser.add_authenticator()
    other = Browser()
    assert go(other) == "/sign-in?next=%2Fruns"
    assert other.signed_in_as is None
    flows = other.at("auth/session").json()["data"]["flows"]
    assert [flow["id"] for flow in flows if flow.get("is_pending")] == ["mfa_authenticate"]


# --- saying again who one is ----------------------------------------------------------------------------


def may_change(browser: Browser) -> bool:
    return bool(browser.tell("auth/confirm").status_code == 204)


def test_a_providers_word_counts_as_new_only_when_it_is(liar: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh_one, old, silent = Browser(), Browser(), Browser()
    go(fresh_one)
    behave(liar, claims={"auth_time": int(time.time()) - 3600})
    go(old)
    behave(liar, claims={"auth_time": None})
    go(silent)
    assert [may_change(each) for each in (fresh_one, old, silent)] == [True, False, False]


def test_going_to_the_provider_again_confirms_and_changes_nothing_else(
    liar: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = Browser()
    behave(liar, claims={"auth_time": int(time.time()) - 3600})
    go(browser)
    session = browser.cookies["sessionid"].value
    assert error_in(go(browser, purpose="again", after="/sign-in/confirmed")) == "not_asked_again"
    assert not may_change(browser)
    behave(liar)
    address = begin(browser, purpose="again", after="/sign-in/confirmed")
    query = parse_qs(urlsplit(address).query)
    assert (query["prompt"], query["max_age"]) == (["login"], ["0"])
    assert browser.get(through(address))["Location"] == "/sign-in/confirmed"
    assert may_change(browser)
    assert browser.cookies["sessionid"].value == session


def test_somebody_else_at_the_provider_confirms_nothing(liar: str) -> None:
    browser = Browser()
    behave(liar, claims={"auth_time": None})
    go(browser)
    name = browser.signed_in_as
    behave(liar, claims={"sub": "p-2", "email": "eve@corp.example"})
    assert error_in(go(browser, purpose="again", after="/sign-in/confirmed")) == "somebody_else"
    assert not may_change(browser)
    assert browser.signed_in_as == name
    assert User.objects.count() == 1


def test_a_provider_that_never_tells_the_time_is_believed_where_the_operator_says_so(
    liar: str, settings: Settings
) -> None:
    configure(settings, liar, tells_auth_time=False)
    behave(liar, claims={"auth_time": None})
    browser = Browser()
    go(browser)
    assert not may_change(browser)
    assert go(browser, purpose="again", after="/sign-in/confirmed") == "/sign-in/confirmed"
    assert may_change(browser)
