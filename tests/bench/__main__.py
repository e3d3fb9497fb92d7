"""`make bench`: the road beside a script that remembers nothing, in the same run on the same machine.

    python -m tests.bench [--events N] [--json FILE] [--only NAME …]

Prints one JSON line per run as it ends, and a table of ratios at the end. Nothing here is a test: figures are for
people, who know what else their machine was doing.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from tests.bench.runs import Bench

RUNS = ("startup", "ingestion", "saturation-0", "saturation-20", "enet", "open-loop")


def main() -> None:
    """Run the benches that are asked for, all of them by default."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--events", type=int, default=3_000, help="events per run at saturation")
    parser.add_argument("--seconds", type=float, default=20, help="length of the open loop")
    parser.add_argument("--json", type=Path, help="file for the JSON lines")
    parser.add_argument("--only", nargs="*", choices=RUNS, default=RUNS)
    asked = parser.parse_args()
    bench = Bench(asked.events, asked.seconds)
    rows: list[dict[str, Any]] = []
    for name in asked.only:
        for row in bench.run(name):
            rows.append(row)
            sys.stdout.write(json.dumps(row) + "\n")
            sys.stdout.flush()
    if asked.json:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        asked.json.write_text("".join(json.dumps(row) + "\n" for row in rows))
    sys.stdout.write("\n" + table(rows) + "\n")


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as a Markdown table, each road beside its baseline."""
    names = list(dict.fromkeys(name for row in rows for name in row if name not in ("run", "variant")))
    lines = ["| run | variant | " + " | ".join(names) + " |", "|---|---|" + "---:|" * len(names)]
    for row in rows:
        cells = [str(row.get(name, "")) for name in names]
        lines.append(f"| {row['run']} | {row['variant']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
