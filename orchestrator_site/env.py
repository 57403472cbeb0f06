"""Settings from the environment, read by loud helpers: what cannot be meant is refused by name."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS = frozenset({"0", "false", "no", "off", ""})


def env_str(name: str, default: str = "") -> str:
    """The text of the variable, or the default when it is unset or empty."""
    return os.environ.get(name, "").strip() or default


def env_bool(name: str, default: bool) -> bool:
    """True for 1/true/yes/on, False for 0/false/no/off; anything else is refused."""
    text = os.environ.get(name)
    if text is None:
        return default
    word = text.strip().lower()
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise ImproperlyConfigured(f"{name} is {text!r}; write true or false.")


def env_int(name: str, default: int) -> int:
    """A whole number, or the default when the variable is unset or empty."""
    text = env_str(name)
    if not text:
        return default
    try:
        return int(text)
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {text!r}; write a whole number.") from None


def env_float(name: str, default: float) -> float:
    """A number (of seconds, where it is a time), or the default when the variable is unset or empty."""
    text = env_str(name)
    if not text:
        return default
    try:
        return float(text)
    except ValueError:
        raise ImproperlyConfigured(f"{name} is {text!r}; write a number.") from None


def env_list(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """Words separated by commas, without empty ones."""
    text = env_str(name)
    if not text:
        return list(default)
    return [word.strip() for word in text.split(",") if word.strip()]


def env_path(name: str, default: Path) -> Path:
    """An absolute path; a relative one counts from the current folder, `~` is the home of the user."""
    text = env_str(name)
    return Path(os.path.abspath(os.path.expanduser(text))) if text else default


def env_choice(name: str, choices: tuple[str, ...]) -> str:
    """One of these words; empty when the variable is unset or empty."""
    text = env_str(name)
    if text and text not in choices:
        raise ImproperlyConfigured(f"{name} is {text!r}; write one of: {', '.join(choices)}.")
    return text


def env_range(name: str, default: tuple[int, int]) -> tuple[int, int]:
    """Two whole numbers, `first-last`, the first not above the last and none below 1."""
    text = env_str(name)
    if not text:
        return default
    first, dash, last = text.partition("-")
    try:
        found = (int(first), int(last))
    except ValueError:
        dash = ""
    if not dash or not 1 <= found[0] <= found[1]:
        raise ImproperlyConfigured(f"{name} is {text!r}; write two numbers, as in {default[0]}-{default[1]}.")
    return found


# The files that secrets have been read from in this process.
secret_files: list[str] = []


def env_secret(name: str) -> str:
    """The secret from NAME, or from the file that NAME_FILE names; empty when neither is set."""
    value, file = env_str(name), env_str(f"{name}_FILE")
    if value and file:
        raise ImproperlyConfigured(f"Both {name} and {name}_FILE are set; set one of them.")
    if not file:
        return value
    secret_files.append(file)
    try:
        value = Path(file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ImproperlyConfigured(
            f"{name}_FILE names {file}, which cannot be read: {error.strerror}."
        ) from None
    if not value:
        raise ImproperlyConfigured(f"{name}_FILE names {file}, which is empty.")
    return value


def address(name: str, text: str, *schemes: str) -> str:
    """The text itself when it is "" or has one of these schemes. It may hold secrets, and is not shown."""
    if not text:
        return text
    try:
        found = urlsplit(text)
        sound = found.scheme in schemes and (found.port is None or found.port > 0)
    except ValueError:
        sound = False
    if not sound:
        known = " or ".join(f"{scheme}://" for scheme in schemes)
        raise ImproperlyConfigured(f"{name} is no address that begins with {known}: correct it.")
    return text


def env_word(name: str, default: str, *words: str) -> str:
    """One of the words, whatever its case; anything else is refused."""
    text = env_str(name, default)
    for word in words:
        if text.upper() == word.upper():
            return word
    raise ImproperlyConfigured(f"{name} is {text!r}; write one of {', '.join(words)}.")


def env_secret_file(name: str) -> str:
    """The path in NAME_FILE, for what is read anew while the product runs; `env_secret` checks it."""
    return env_str(f"{name}_FILE")
