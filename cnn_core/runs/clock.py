"""The database's clock: workers on several computers agree on who is silent, whatever their own clocks say."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Float
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement


class unix_now(FunctionElement[float]):  # noqa: N801 - reads as the SQL function it is
    """Unix seconds, to a millisecond or better, at the moment the statement runs."""

    type = Float(53)
    inherit_cache = True


@compiles(unix_now)
def _standard(element: unix_now, compiler: Any, **options: Any) -> str:
    return "extract(epoch from current_timestamp)"


@compiles(unix_now, "postgresql")
def _postgresql(element: unix_now, compiler: Any, **options: Any) -> str:
    return "extract(epoch from clock_timestamp())::double precision"


@compiles(unix_now, "mysql", "mariadb")
def _mysql(element: unix_now, compiler: Any, **options: Any) -> str:
    return "(unix_timestamp(sysdate(6)) + 0e0)"


@compiles(unix_now, "sqlite")
def _sqlite(element: unix_now, compiler: Any, **options: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"
