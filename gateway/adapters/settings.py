"""Where everything lives: `GATEWAY_*` settings, each known by name or refused.

A misspelt setting must not pass in silence: it would leave a default in force
that its author believes to be changed. No setting holds a secret; the one that
concerns a secret names the file that holds it.

Source: The Twelve-Factor App, III; docs/reference/settings.md; security point 7.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gateway.adapters import settings_notices
from gateway.adapters.settings_notices import NoticeSettings
from gateway.errors import UsageError

PREFIX = "GATEWAY_"
_LOCAL = ("http://127.0.0.1", "http://localhost", "http://[::1]")
LOG_LEVELS = ("debug", "info", "warning", "error")

MARK = "founded"  # written last by `init`: from then on there is a database
KNOWN: Mapping[str, tuple[str, str]] = {
    "GATEWAY_DATA": ("./var", "Data directory: database, sealed files, key ring, ledger."),
    "GATEWAY_DATABASE_URL": (
        "",
        "Address of the database, SQLite or PostgreSQL; empty means SQLite in the data directory.",
    ),
    "GATEWAY_POLICIES": (
        "policies",
        "Folder of governed documents that seeds an empty store; where the working directory "
        "has none, the one of the checkout.",
    ),
    "GATEWAY_KEYS": (
        "keys",
        "Folder of public keys and key descriptors; where the working directory has none, the "
        "one of the checkout.",
    ),
    "GATEWAY_PASSPHRASE_FILE": (
        "",
        "File (mode 0400, outside the data directory) with the key ring's passphrase; "
        "empty means: ask on the terminal.",
    ),
    "GATEWAY_HOST": ("127.0.0.1", "Address that `gateway serve` listens on."),
    "GATEWAY_PORT": ("8440", "Port that `gateway serve` listens on."),
    "GATEWAY_COUNCIL_NAME": (
        "Stronger Families data gateway",
        "Name at the head of every page: the council's, or the programme's.",
    ),
    "GATEWAY_PUBLIC_URL": (
        "http://127.0.0.1:8440",
        "Address at which callers reach the service; https, except on this machine itself.",
    ),
    "GATEWAY_PROXIES": (
        "0",
        "How many proxies of yours stand in front and add the caller's address to X-Forwarded-For.",
    ),
    "GATEWAY_OIDC_ISSUER": (
        "",
        "Issuer of the OpenID Connect provider that signs staff in; empty: local accounts only.",
    ),
    "GATEWAY_OIDC_CLIENT_ID": ("", "Client id that the OpenID Connect provider gave the service."),
    "GATEWAY_OIDC_CLIENT_SECRET_FILE": (
        "",
        "File (mode 0400) with the client secret that the OpenID Connect provider gave.",
    ),
    "GATEWAY_UPLOAD_MAX_MIB": ("4096", "Longest upload that is taken in, in MiB."),
    "GATEWAY_UPLOAD_HOURS": ("24", "Hours after which an upload that nobody goes on with expires."),
    "GATEWAY_DELIVERY_DAYS": (
        "3",
        "Days after which a package that its recipient has not taken counts as not delivered.",
    ),
    "GATEWAY_DELIVERY_KEYS": (
        "",
        "Folder (mode 0700) with a folder for each recipient: client.key for https, sftp.key.",
    ),
    "GATEWAY_LOG_LEVEL": (
        "info",
        "Least of the service's log that is written: debug, info, warning or error.",
    ),
    "GATEWAY_UPLOADS_OPEN": ("20", "Unfinished uploads that one party may have at a time."),
    **settings_notices.KNOWN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting, resolved once; `sources` says where each value came from."""

    data: Path
    database_url: str = field(repr=False)
    policies: Path
    keys: Path
    passphrase_file: Path | None
    host: str = KNOWN["GATEWAY_HOST"][0]
    port: int = int(KNOWN["GATEWAY_PORT"][0])
    council_name: str = KNOWN["GATEWAY_COUNCIL_NAME"][0]
    public_url: str = KNOWN["GATEWAY_PUBLIC_URL"][0]
    proxies: int = int(KNOWN["GATEWAY_PROXIES"][0])
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret_file: Path | None = None
    upload_max_mib: int = int(KNOWN["GATEWAY_UPLOAD_MAX_MIB"][0])
    upload_hours: int = int(KNOWN["GATEWAY_UPLOAD_HOURS"][0])
    delivery_days: int = int(KNOWN["GATEWAY_DELIVERY_DAYS"][0])
    delivery_keys: Path | None = None
    uploads_open: int = int(KNOWN["GATEWAY_UPLOADS_OPEN"][0])
    log_level: str = KNOWN["GATEWAY_LOG_LEVEL"][0]
    notices: NoticeSettings = field(default_factory=NoticeSettings)
    sources: Mapping[str, str]

    @property
    def ring(self) -> Path:
        """The directory of wrapped secret keys."""
        return self.data / "keys"

    @property
    def founded(self) -> bool:
        """Whether `init` was finished here, or the data of such a directory were restored."""
        return (self.data / MARK).exists()


def read_settings(
    data: Path | None = None, *, environ: Mapping[str, str] | None = None
) -> Settings:
    """Resolve the settings from the command line, the environment and the defaults.

    Args:
        data: what `--data` said; it wins over `GATEWAY_DATA`.
        environ: the environment to read; this process's own when absent.

    Raises:
        UsageError: an unknown `GATEWAY_*` name is set. Names it.

    """
    environ = os.environ if environ is None else environ
    _refuse_unknown(environ)
    sources = {name: "environment" if environ.get(name) else "default" for name in KNOWN}
    chosen = {name: environ.get(name) or default for name, (default, _) in KNOWN.items()}
    if data is not None:
        chosen["GATEWAY_DATA"], sources["GATEWAY_DATA"] = str(data), "--data"
    home = Path(chosen["GATEWAY_DATA"]).absolute()
    secret = chosen["GATEWAY_PASSPHRASE_FILE"]
    return Settings(
        data=home,
        database_url=chosen["GATEWAY_DATABASE_URL"] or f"sqlite:///{home / 'gateway.sqlite'}",
        policies=_folder("GATEWAY_POLICIES", chosen, sources),
        keys=_folder("GATEWAY_KEYS", chosen, sources),
        passphrase_file=Path(secret) if secret else None,
        host=chosen["GATEWAY_HOST"],
        port=_port(chosen["GATEWAY_PORT"]),
        council_name=chosen["GATEWAY_COUNCIL_NAME"],
        public_url=chosen["GATEWAY_PUBLIC_URL"].rstrip("/"),
        proxies=_proxies(chosen["GATEWAY_PROXIES"]),
        oidc_issuer=chosen["GATEWAY_OIDC_ISSUER"],
        oidc_client_id=chosen["GATEWAY_OIDC_CLIENT_ID"],
        oidc_client_secret_file=_file(chosen["GATEWAY_OIDC_CLIENT_SECRET_FILE"]),
        upload_max_mib=_count("GATEWAY_UPLOAD_MAX_MIB", chosen),
        upload_hours=_count("GATEWAY_UPLOAD_HOURS", chosen),
        delivery_days=_count("GATEWAY_DELIVERY_DAYS", chosen),
        delivery_keys=_file(chosen["GATEWAY_DELIVERY_KEYS"]),
        uploads_open=_count("GATEWAY_UPLOADS_OPEN", chosen),
        log_level=_level(chosen["GATEWAY_LOG_LEVEL"]),
        notices=settings_notices.read(chosen),
        sources=sources,
    )


def is_protected(address: str) -> bool:
    """Whether what is sent to an address crosses no network in the clear."""
    here = (address == start or address.startswith((start + ":", start + "/")) for start in _LOCAL)
    return address.startswith("https://") or any(here)


def _level(chosen: str) -> str:
    if chosen not in LOG_LEVELS:
        raise UsageError(
            "settings/log-level",
            f"GATEWAY_LOG_LEVEL is one of: {', '.join(LOG_LEVELS)}.",
            remedy="Set it to one of these, or unset it.",
        )
    return chosen


def _port(chosen: str) -> int:
    if not (chosen.isdecimal() and chosen.isascii() and len(chosen) < 6 and int(chosen) < 1 << 16):
        raise UsageError(
            "settings/port",
            "GATEWAY_PORT is a number from 0 to 65535.",
            remedy="Set it so, or unset it.",
        )
    return int(chosen)


def _proxies(chosen: str) -> int:
    if not (chosen.isdecimal() and chosen.isascii() and len(chosen) == 1):
        raise UsageError(
            "settings/proxies",
            "GATEWAY_PROXIES is a number from 0 to 9.",
            remedy="Set it so, or unset it; 0 means that nothing stands in front.",
        )
    return int(chosen)


def _count(name: str, chosen: Mapping[str, str]) -> int:
    found = chosen[name]
    if not (found.isdecimal() and found.isascii() and len(found) < 8 and int(found)):
        raise UsageError(
            "settings/number",
            f"{name} is a number from 1 to 9999999.",
            remedy="Set it so, or unset it.",
        )
    return int(found)


def _file(chosen: str) -> Path | None:
    return Path(chosen) if chosen else None


def _folder(name: str, chosen: Mapping[str, str], sources: Mapping[str, str]) -> Path:
    """The folder as set; by default the checkout's, where the working directory has none."""
    folder = Path(chosen[name])
    checkout = Path(__file__).parents[2] / chosen[name]
    shipped = sources[name] == "default" and not folder.is_dir() and checkout.is_dir()
    return checkout if shipped else folder


def describe(settings: Settings) -> list[dict[str, str]]:
    """One row for each setting: name, value, source, meaning; a password in a URL is masked."""
    values = {
        "GATEWAY_DATA": str(settings.data),
        "GATEWAY_DATABASE_URL": _masked(settings.database_url),
        "GATEWAY_POLICIES": str(settings.policies),
        "GATEWAY_KEYS": str(settings.keys),
        "GATEWAY_PASSPHRASE_FILE": str(settings.passphrase_file or ""),
        "GATEWAY_HOST": settings.host,
        "GATEWAY_PORT": str(settings.port),
        "GATEWAY_COUNCIL_NAME": settings.council_name,
        "GATEWAY_PUBLIC_URL": settings.public_url,
        "GATEWAY_PROXIES": str(settings.proxies),
        "GATEWAY_OIDC_ISSUER": settings.oidc_issuer,
        "GATEWAY_OIDC_CLIENT_ID": settings.oidc_client_id,
        "GATEWAY_OIDC_CLIENT_SECRET_FILE": str(settings.oidc_client_secret_file or ""),
        "GATEWAY_UPLOAD_MAX_MIB": str(settings.upload_max_mib),
        "GATEWAY_UPLOAD_HOURS": str(settings.upload_hours),
        "GATEWAY_DELIVERY_DAYS": str(settings.delivery_days),
        "GATEWAY_DELIVERY_KEYS": str(settings.delivery_keys or ""),
        "GATEWAY_LOG_LEVEL": settings.log_level,
        "GATEWAY_UPLOADS_OPEN": str(settings.uploads_open),
        **settings_notices.described(settings.notices),
    }
    return [
        {
            "name": name,
            "value": values[name],
            "source": settings.sources[name],
            "meaning": meaning,
        }
        for name, (_, meaning) in KNOWN.items()
    ]


def _refuse_unknown(environ: Mapping[str, str]) -> None:
    unknown = sorted(name for name in environ if name.startswith(PREFIX) and name not in KNOWN)
    if not unknown:
        return
    # What all names begin with makes no two of them alike.
    known = [name.removeprefix(PREFIX) for name in KNOWN]
    near = difflib.get_close_matches(unknown[0].removeprefix(PREFIX), known, n=1)
    raise UsageError(
        "settings/unknown-name",
        f"{', '.join(unknown)} is no setting of the gateway.",
        remedy=f"Did you mean {PREFIX}{near[0]}?" if near else "`gateway settings` lists them all.",
        setting=unknown[0],
    )


def _masked(url: str) -> str:
    scheme, mark, rest = url.partition("://")
    place = rest.rpartition("@")[2]
    # A query string may carry a password as well; what is left says enough.
    return f"{scheme}{mark}{'***@' if '@' in rest else ''}{place.partition('?')[0]}"
