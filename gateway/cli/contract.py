"""`gateway contract`: a dataset's contract in the forms that a partner's tools read.

What is printed is made from the governed document and holds no data: a Great
Expectations suite, the small plug-in that a few of its rules need, and a
Frictionless Table Schema.

Source: requirement R14; docs/reference/contracts.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from gateway.cli.common import emit, exits, json_option, open_settings

PLUGIN = "gateway_expectations.py"


@click.group()
def contract() -> None:
    """Publish a dataset's contract for partners.

    Example: gateway contract suite school_attendance --to published
    """


@contract.command()
@click.argument("name")
@click.option("--to", "folder", type=click.Path(path_type=Path), help="Write the files there.")
@json_option
@click.pass_context
@exits
def suite(ctx: click.Context, name: str, folder: Path | None, json_wanted: bool) -> None:
    """Print the Great Expectations suite of a dataset, or write it with its plug-in.

    A partner runs it with stock Great Expectations on a frame of text columns, and
    finds what the gateway will find.

    Example: gateway contract suite school_attendance --to published
    """
    from gateway import intake

    document = intake.suite(_contract(ctx, name))
    if folder is None:
        emit(document, json_wanted, [json.dumps(document, indent=2, ensure_ascii=False)])
        return
    made = [_write(folder / f"{name}.suite.json", document), folder / PLUGIN]
    plugin = Path(__file__).parents[1] / "standalone" / PLUGIN
    made[1].write_bytes(plugin.read_bytes())
    paths = [str(path) for path in made]
    emit({"files": paths}, json_wanted, [f"Written: {path}" for path in paths])


@contract.command("table-schema")
@click.argument("name")
@json_option
@click.pass_context
@exits
def table_schema(ctx: click.Context, name: str, json_wanted: bool) -> None:
    """Print the Frictionless Table Schema of a dataset.

    Example: gateway contract table-schema school_attendance > schema.json
    """
    from gateway import intake

    document = intake.table_schema(_contract(ctx, name))
    emit(document, json_wanted, [json.dumps(document, indent=2, ensure_ascii=False)])


@contract.command()
@click.option("--to", "folder", required=True, type=click.Path(path_type=Path), help="Where to.")
@json_option
@click.pass_context
@exits
def kit(ctx: click.Context, folder: Path, json_wanted: bool) -> None:
    """Write what a partner needs to check its files: the contracts, and nothing else.

    Example: gateway contract kit --to contracts
    """
    from gateway.adapters.policy_files import write_documents
    from gateway.adapters.policy_folder import read_policies

    documents = {
        path: text.decode("utf-8")
        for path, text in read_policies(open_settings(ctx).policies).items()
        if path.startswith("datasets/") or path == "vocabulary.toml"
    }
    write_documents(folder, documents)
    document = {"folder": str(folder), "documents": len(documents)}
    emit(document, json_wanted, [f"{len(documents)} documents are in {folder}."])


def _contract(ctx: click.Context, name: str) -> Any:
    """Find the contract of a dataset among the governed documents."""
    from gateway import policy
    from gateway.adapters.policy_folder import read_policies
    from gateway.errors import UsageError, listed

    bundle, _ = policy.load(read_policies(open_settings(ctx).policies))
    found = bundle.contracts.get(name)
    if found is None:
        raise UsageError(
            "intake/unknown-dataset",
            f'There is no dataset "{name}".',
            remedy=listed("Datasets", bundle.contracts),
            dataset=name,
        )
    return found


def _write(path: Path, document: Mapping[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document, indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
    return path
