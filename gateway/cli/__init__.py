"""The command line: thin commands that parse, call one workflow and present.

Commands are found by name and imported only when they are asked for, so that
`gateway --help` answers at once.

Source: docs/reference/commands.md.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

import gateway

# A process that holds keys locks its memory, and locked pages are given back only by
# unmapping them: the allocator of the columns is told so before it is loaded. 0.3 s is
# long enough for most blocks to be used again, instead of mapped anew.
os.environ.setdefault(
    "_RJEM_MALLOC_CONF",
    "background_thread:true,retain:false,dirty_decay_ms:300,muzzy_decay_ms:0,"
    "oversize_threshold:0,narenas:2",
)

# name -> (module, attribute, one sentence for the list of commands)
COMMANDS: Mapping[str, tuple[str, str, str]] = {
    "demo": ("demo", "demo", "Run the whole story on a synthetic borough."),
    "init": ("init", "init", "Make a data directory: database, ledger, keys, policies."),
    "synth": ("synth", "synth", "Make synthetic partner extracts with known truth."),
    "receive": ("receive", "receive", "Take in a partner's extract and say what is wrong."),
    "extracts": ("receive", "extracts", "List what arrived, its state and its findings."),
    "check": ("check_file", "check", "Check a file here, before anything leaves."),
    "send": ("send", "send", "Send a file to a council's service and wait for its findings."),
    "receipt": ("receipt", "receipt", "Verify the signed receipt of a file that was sent."),
    "contract": ("contract", "contract", "Publish a dataset's contract for partners."),
    "explain": ("policy_documents", "explain", "Say what would be shared, with each clause."),
    "policy": ("policy", "policy", "Check, compare, propose, approve and withdraw policies."),
    "publish": ("publish", "publish", "Registers, notices and machine-readable agreements."),
    "operators": ("operators", "operators", "People with roles and personal keys."),
    "accounts": ("accounts", "accounts", "People who may sign in to the service."),
    "notices": ("notices", "notices", "Tell people by e-mail or webhook what waits for them."),
    "clients": ("clients", "clients", "Partners' programs and their public keys."),
    "recipients": ("recipients", "recipients", "Register and confirm recipients' public keys."),
    "keys": ("keys", "keys", "Custody of keys: new, offer, accept, confirm, grant, destroy."),
    "object": ("object_to", "object_to", "Record an objection, opt-out, consent or withdrawal."),
    "objections": ("objections", "objections", "List, answer and settle what the register holds."),
    "share": ("share", "share", "Decide, make, seal, record and forward a release."),
    "emergency": ("emergency", "emergency", "Disclose one person to prevent harm, by two people."),
    "releases": ("share", "releases", "List what left, with counts and packages."),
    "accept": ("accept", "accept", "Accept what was unusual about a held release."),
    "deliveries": ("deliveries", "deliveries", "Follow packages; try again, carry, acknowledge."),
    "duties": ("duties", "duties", "What recipients owe; certificates of destruction."),
    "inbox": ("inbox", "inbox", "Take in, open and acknowledge packages (the recipient)."),
    "prove": ("prove", "prove", "Put the notices' promises to the ledger, for one release."),
    "ledger": ("ledger", "ledger", "Verify, prove, export and checkpoint the ledger."),
    "open": ("open_package", "open_package", "Verify a package and open it (the recipient)."),
    "certify": ("certify", "certify", "Certify that a package is destroyed (the recipient)."),
    "recipient-key": ("open_package", "recipient_key", "Make a recipient's own keys."),
    "trust": ("open_package", "trust", "Publish the sender's descriptor for recipients."),
    "pseudonym": ("pseudonym", "pseudonym", "Test vectors and test tokens of the scheme."),
    "serve": ("serve", "serve", "Run the service: web, workers, and what keeps them alive."),
    "web": ("serve", "web", "Run the web process of the service alone."),
    "worker": ("serve", "worker", "Run one worker of the service alone."),
    "database": ("database", "database", "Say the schema's version; bring it forward."),
    "backup": ("backup", "backup", "Back up the data, without the keys."),
    "restore": ("backup", "restore", "Put a backup back; nothing leaves it yet."),
    "reconcile": ("backup", "reconcile", "End the hold of a restored directory."),
    "purge": ("purge", "purge", "Let go of what has outlived its retention."),
    "doctor": ("doctor", "doctor", "Say what is wrong with this installation, and how to mend it."),
    "settings": ("settings", "settings", "Show each setting, its value, source and meaning."),
    "bench": ("bench", "bench", "Measure the gateway beside what one would do instead."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, not when they are listed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the story."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of one command."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command: Any = getattr(importlib.import_module(f"gateway.cli.{module}"), attribute)
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List names and sentences without importing any command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry[2]) for name, entry in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(gateway.__version__, prog_name="gateway")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Data directory (default: GATEWAY_DATA, else ./var).",
)
@click.pass_context
def main(ctx: click.Context, data: Path | None) -> None:
    """Share personal data only as the privacy notice promised, and prove it.

    Example: gateway demo
    """
    ctx.obj = {"data": data}
