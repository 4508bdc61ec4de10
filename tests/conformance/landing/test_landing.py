"""Where installs are said to land and where they do, by execution: the quick rows, and with ``--slow`` all of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from conformance.landing import namespace, table
from conformance.landing.report import Worker, usable

RIGHTS = namespace.available()
ROWS = usable(table.rows(), RIGHTS) if RIGHTS else []


def test_every_table_can_be_read() -> None:
    """Every table loads, names no state that is not there, and gives no row twice."""
    rows = table.rows()
    assert len({row.id for row in rows}) == len(rows)


if ROWS:

    @pytest.fixture(scope="module")
    def worker() -> Iterator[Worker]:
        """The process that lives the rows, each in a world of its own."""
        worker = Worker()
        yield worker
        worker.close()

    @pytest.mark.limit(240)
    @pytest.mark.parametrize(
        "row", [pytest.param(row, id=row.id, marks=() if row.quick else pytest.mark.slow) for row in ROWS]
    )
    def test_it_lands_where_it_was_said_to(worker: Worker, row: table.Row) -> None:
        """What ``alight check`` said before is what the command did, or it said that it does not know."""
        outcome = worker.live(row)
        assert outcome.agreement in ("agrees", "unknown"), "\n".join(outcome.why)
