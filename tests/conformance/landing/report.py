"""The command ``run``: every row, the table tool x verdict, and whether what must hold does."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from conformance.landing import namespace, states, table
from conformance.landing.compare import Outcome, compare
from conformance.landing.table import Row

VERDICTS = ("ok", "mixed", "wrong-env", "global", "refused", "none", "unknown", "-")
ROWS_LEAST, UNKNOWN_MOST, ELSEWHERE_LEAST = 300, 0.03, 0.40
_TESTS = Path(__file__).parents[2]


class Worker:
    """A process that lives rows; ``close`` ends it."""

    def __init__(self) -> None:
        paths = [str(_TESTS), str(_TESTS.parent / "daemon"), os.environ.get("PYTHONPATH", "")]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "conformance.landing.execute"],
            env={**os.environ, "PYTHONPATH": ":".join(filter(None, paths))},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "ready\n":
            self.close()
            raise RuntimeError("no row can be run; what went wrong stands above")

    def live(self, row: Row) -> Outcome:
        """One row, for real."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(row.packed()) + "\n")
        self._process.stdin.flush()
        return compare(row, json.loads(self._process.stdout.readline()))

    def close(self) -> None:
        """End the process; the row it is at, too."""
        with contextlib.suppress(BrokenPipeError):
            self._process.communicate()


def usable(rows: Sequence[Row], rights: str) -> list[Row]:
    """The rows that this machine can live: with the Pythons they name, and a second user where they want one."""
    known = set(states.names())
    return [row for row in rows if row.needs <= known and (row.user == "root" or rights == "root")]


def main() -> int:
    """Run the rows asked for; 1 when one disagrees, or too much is unknown."""
    options = _options()
    rights = namespace.available()
    if not rights:
        print("landing: this needs Linux, and root or unprivileged user namespaces", file=sys.stderr)
        return 2
    if options.shell is not None:
        return _shell(options.shell)
    all_rows = table.rows()
    rows = usable(all_rows, rights)
    wanted = [row for row in rows if _is_wanted(row, options)]
    if options.list:
        print(*(row.id for row in wanted), sep="\n")
        return 0
    outcomes = list(_lived(wanted, options))
    return _summary(outcomes, len(all_rows) - len(rows), full=len(wanted) == len(rows), options=options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run", description="Landings, by execution (README.md).")
    parser.add_argument("-k", metavar="TEXT", action="append", default=[], help="only rows whose id contains TEXT")
    parser.add_argument("-q", "--quick", action="store_true", help="only the rows of the normal suite")
    parser.add_argument("-n", type=int, default=os.cpu_count() or 1, metavar="N", help="rows at a time")
    parser.add_argument("-v", "--verbose", action="store_true", help="a line for every row")
    parser.add_argument("--show", metavar="ID", help="one row in full detail")
    parser.add_argument("--report", action="store_true", help="the table tool x verdict")
    parser.add_argument("--list", action="store_true", help="only the ids")
    parser.add_argument("--shell", metavar="STATE", help="an interactive bash in a state of cases/states.toml")
    return parser.parse_args()


def _is_wanted(row: Row, options: argparse.Namespace) -> bool:
    if options.show is not None:
        return row.id == options.show
    return all(text in row.id for text in options.k) and (row.quick or not options.quick)


def _lived(rows: Sequence[Row], options: argparse.Namespace) -> Iterator[Outcome]:
    local, workers = threading.local(), []

    def live(row: Row) -> Outcome:
        if not hasattr(local, "worker"):
            local.worker = Worker()
            workers.append(local.worker)
        return local.worker.live(row)

    try:
        with ThreadPoolExecutor(max(1, min(options.n, len(rows)))) as pool:
            for outcome in pool.map(live, rows):
                _tell(outcome, options)
                yield outcome
    finally:
        for worker in workers:
            worker.close()


def _tell(outcome: Outcome, options: argparse.Namespace) -> None:
    if options.show is not None:
        print(json.dumps({"row": outcome.row.packed(), **outcome.result}, indent=2))
    if options.verbose or outcome.agreement in ("disagrees", "broken"):
        print(f"{outcome.agreement:<9}  {outcome.verdict:<9}  {outcome.row.id}", flush=True)
        for why in outcome.why:
            lines = why.splitlines()
            print("    " + "\n    ".join(lines if options.verbose else lines[-3:]))
        if options.verbose:
            print(f"    {', '.join(sorted(outcome.moved)) or 'nothing'}")
            for install in outcome.installs:
                print(f"    {install['message']} [{install['reason']}]")


def _summary(outcomes: Sequence[Outcome], left_out: int, *, full: bool, options: argparse.Namespace) -> int:
    distinct = list({outcome.row.key: outcome for outcome in outcomes}.values())
    executed = [outcome for outcome in distinct if outcome.row.executed]
    counts = Counter(outcome.agreement for outcome in executed)
    if options.report:
        _table(distinct)
    elsewhere = sum(outcome.elsewhere for outcome in executed)
    total = max(len(executed), 1)
    print(
        f"landing: {len(executed)} different rows executed: {counts['agrees']} agree, {counts['disagrees']} disagree, "
        f"{counts['broken']} broken, {counts['unknown']} unknown ({counts['unknown'] / total:.1%}); "
        f"{elsewhere / total:.0%} land elsewhere than VIRTUAL_ENV suggests; "
        f"{len(distinct) - len(executed)} rows predicted only, {left_out} left out on this machine"
    )
    bad = any(outcome.agreement in ("disagrees", "broken") for outcome in outcomes)
    if full:
        for wrong, words in (
            (len(executed) < ROWS_LEAST, f"fewer than {ROWS_LEAST} rows"),
            (counts["unknown"] / total > UNKNOWN_MOST, f"more than {UNKNOWN_MOST:.0%} unknown"),
            (elsewhere / total < ELSEWHERE_LEAST, f"fewer than {ELSEWHERE_LEAST:.0%} elsewhere"),
        ):
            if wrong:
                print(f"landing: {words}")
                bad = True
    return int(bad)


def _table(outcomes: Sequence[Outcome]) -> None:
    tools = sorted({outcome.row.tool for outcome in outcomes})
    counts = Counter((outcome.row.tool, outcome.verdict) for outcome in outcomes)
    right = Counter(outcome.row.tool for outcome in outcomes if outcome.agreement == "agrees")
    places = {tool: len({outcome.row.state for outcome in outcomes if outcome.row.tool == tool}) for tool in tools}
    width = max(map(len, (*tools, "tool")))
    print(f"{'tool':<{width}}", *(f"{head:>9}" for head in (*VERDICTS, "rows", "states", "agree")))
    for tool in tools:
        row = [counts[tool, verdict] for verdict in VERDICTS]
        print(f"{tool:<{width}}", *(f"{number or '.':>9}" for number in (*row, sum(row), places[tool], right[tool])))
    sums = [sum(counts[tool, verdict] for tool in tools) for verdict in VERDICTS]
    print(f"{'all':<{width}}", *(f"{number or '.':>9}" for number in (*sums, sum(sums), "", sum(right.values()))))


def _shell(state: str) -> int:
    """A bash in which one may look around and break things."""
    from conformance.landing import execute

    return execute.interactive(table.row_of(state))


if __name__ == "__main__":
    sys.exit(main())
