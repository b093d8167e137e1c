"""Run a suite with stock Great Expectations on pandas, as a partner would, and print what fails.

    python native_suite.py PLUGIN_FOLDER SUITE.json FRAMES.jsonl

Each line of the frames file is one frame, {column: [text or null]}. It imports
nothing of the gateway.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

os.environ["GX_ANALYTICS_ENABLED"] = "false"
sys.path.insert(0, sys.argv[1])

import gateway_expectations  # noqa: F401 - registers the plug-in's expectations
import great_expectations as gx
import pandas as pd


def judged(batches: object, suite: object, frame: pd.DataFrame) -> dict[str, object]:
    batch = batches.get_batch({"dataframe": frame})  # type: ignore[attr-defined]
    outcome = batch.validate(suite, result_format={"result_format": "COMPLETE"})
    found = {}
    for each in outcome.results:
        rule = each.expectation_config.meta["rule"]
        raised = [
            info
            for info in (each.exception_info, *each.exception_info.values())
            if isinstance(info, dict) and info.get("raised_exception")
        ]
        result = each.result
        found[rule] = {
            "success": bool(each.success),
            "raised": len(raised),
            "failing": sorted(map(int, result.get("unexpected_index_list") or [])),
            "applied": result.get("element_count", 0) - result.get("missing_count", 0),
        }
    return found


def main() -> None:
    document = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    context = gx.get_context(mode="ephemeral")
    suite = context.suites.add(gx.ExpectationSuite(**document))
    asset = context.data_sources.add_pandas("partner").add_dataframe_asset("extract")
    batches = asset.add_batch_definition_whole_dataframe("all")
    for line in Path(sys.argv[3]).read_text(encoding="utf-8").splitlines():
        frame = pd.DataFrame(json.loads(line), dtype="str")
        print(json.dumps(judged(batches, suite, frame)))


if __name__ == "__main__":
    main()
