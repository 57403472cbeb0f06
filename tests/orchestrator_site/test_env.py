from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from orchestrator_site.env import env_bool, env_float, env_int, env_list, env_path, env_secret, env_str
from tests.orchestrator_site.running import ROOT, environment_for


@pytest.mark.parametrize("text", ["1", "true", "YES", " on "])
def test_words_that_mean_yes(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("SOME", text)
    assert env_bool("SOME", False) is True


@pytest.mark.parametrize("text", ["0", "False", "no", "off", ""])
def test_words_that_mean_no(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("SOME", text)
    assert env_bool("SOME", True) is False


def test_a_word_that_means_neither_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME", "perhaps")
    with pytest.raises(ImproperlyConfigured, match="SOME is 'perhaps'; write true or false"):
        env_bool("SOME", True)


def test_an_unset_variable_has_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOME", raising=False)
    assert env_bool("SOME", True) is True
    assert env_int("SOME", 7) == 7
    assert env_float("SOME", 0.5) == 0.5
    assert env_str("SOME", "x") == "x"
    assert env_list("SOME", ("a",)) == ["a"]
    assert env_secret("SOME") == ""


def test_numbers_are_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME", " 12 ")
    assert env_int("SOME", 0) == 12
    monkeypatch.setenv("SOME", "1.5")
    assert env_float("SOME", 0) == 1.5
    with pytest.raises(ImproperlyConfigured, match=r"SOME is '1\.5'; write a whole number"):
        env_int("SOME", 0)
    monkeypatch.setenv("SOME", "soon")
    with pytest.raises(ImproperlyConfigured, match="SOME is 'soon'; write a number"):
        env_float("SOME", 0)


def test_a_list_has_no_empty_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME", "a, b,,")
    assert env_list("SOME") == ["a", "b"]


def test_a_path_is_absolute_and_knows_the_persons_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/somebody")
    monkeypatch.setenv("SOME", "~/here/../there")
    assert env_path("SOME", Path("/x")) == Path("/somebody/there")


def test_a_secret_may_lie_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hush\n")
    monkeypatch.setenv("SOME_FILE", str(tmp_path / "secret"))
    assert env_secret("SOME") == "hush"


def test_a_secret_given_twice_or_in_a_file_that_is_not_there_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SOME_FILE", str(tmp_path / "none"))
    with pytest.raises(ImproperlyConfigured, match=r"SOME_FILE names .* cannot be read: No such file"):
        env_secret("SOME")
    monkeypatch.setenv("SOME", "hush")
    with pytest.raises(ImproperlyConfigured, match="Both SOME and SOME_FILE are set"):
        env_secret("SOME")


def read_setting(expression: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The settings as a fresh process with this environment has them."""
    code = f"from django.conf import settings; print([{expression}])"
    module = "orchestrator_site.settings"
    return python("-c", code, home=home, DJANGO_SETTINGS_MODULE=module, **environment)


def python(*words: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env={**environment_for(home), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "environment, sentence",
    [
        ({"DATABASE_URL": "postgres://a@b/c"}, "REDIS_URL is not set: set both"),
        ({"REDIS_URL": "redis://a"}, "DATABASE_URL is not set: set both"),
        (
            {"DATABASE_URL": "postgres://a@b/c", "REDIS_URL": "redis://a"},
            "ORCHESTRATOR_SECRET_KEY is not set",
        ),
        ({"DEBUG": "perhaps"}, "DEBUG is 'perhaps'; write true or false"),
    ],
)
def test_settings_that_cannot_be_meant_end_in_one_sentence(
    tmp_path: Path, environment: dict[str, str], sentence: str
) -> None:
    ended = python("manage.py", "up", home=tmp_path, **environment)
    assert ended.returncode == 1
    assert ended.stderr.startswith(sentence)
    assert len(ended.stderr.splitlines()) == 1


def test_given_urls_are_used_and_nothing_is_embedded(tmp_path: Path) -> None:
    shown = read_setting(
        "settings.EMBEDDED, settings.DATABASES['default']['HOST'], settings.DATABASES['owner']['USER'], "
        "settings.RQ_QUEUES['default']['URL'], settings.SESSION_COOKIE_SECURE, settings.ALLOWED_HOSTS[-1]",
        tmp_path,
        DATABASE_URL="postgres://app:x@db.example.org/o",
        DATABASE_OWNER_URL="postgres://own:y@db.example.org/o",
        REDIS_URL="redis://r.example.org/1",
        ORCHESTRATOR_SECRET_KEY="k" * 50,
        ORCHESTRATOR_URL="https://pipelines.example.org",
    )
    assert shown.stdout.strip() == str(
        [False, "db.example.org", "own", "redis://r.example.org/1", True, "pipelines.example.org"]
    )


def test_looking_at_settings_writes_nothing_into_the_home(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert read_setting("settings.EMBEDDED", home).stdout.strip() == "[True]"
    assert not home.exists()


def test_the_home_is_the_checkouts_unless_told_otherwise(tmp_path: Path) -> None:
    shown = read_setting("str(settings.HOME.path)", tmp_path, ORCHESTRATOR_HOME="")
    assert shown.stdout.strip() == str([os.fspath(ROOT / ".orchestrator")])
