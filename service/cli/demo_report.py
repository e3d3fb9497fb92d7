"""The demonstration's result: one JSON file for machines, two tables for people."""

from __future__ import annotations

from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from service.cli.demo_audit import Audit, Cause
from service.cli.demo_service import PACE, Summary


class Course(msgspec.Struct, frozen=True):
    """How a day was played.

    Attributes:
        sales: orders placed in the shop, those never captured included.
        declined: card attempts that the bank refused.
        never_captured: holds that the merchant did not release.
        mistakes: sales by the mistake that was made.
        seconds: from the first order to the last final state.
        faults_fired: faults acted, by system and name.
        told: orders whose status the service has changed in the shop.
    """

    asked: int
    seed: int
    faults: str
    transport: str
    workers: int
    sales: int
    declined: int
    never_captured: int
    mistakes: dict[str, int]
    seconds: float
    faults_fired: dict[str, dict[str, int]]
    told: int


class Result(msgspec.Struct, frozen=True):
    """The JSON file; ``double_postings``, ``lost`` and the money are counted in the sandboxes' ledgers."""

    passed: bool
    payments: int
    posted: int
    held: int
    dead_letters: int
    duplicates_ignored: int
    ambiguous: int
    sales_orders: int
    ar_payments: int
    double_postings: int
    lost: int
    unexplained: int
    surplus: int
    retries: int
    captured_minor: dict[str, int]
    posted_minor: dict[str, int]
    held_minor: dict[str, int]
    dead_letter_minor: dict[str, int]
    seconds: float
    throughput_per_s: float
    pace: int
    lost_codes: tuple[str, ...]
    held_reasons: dict[str, Cause]
    dead_letter_reasons: dict[str, Cause]
    states: dict[str, int]
    course: Course


def make_result(audit: Audit, summary: Summary, course: Course) -> Result:
    """Put the proof, the service's counts and the course of the day together."""
    seconds = max(course.seconds, 0.001)
    return Result(
        passed=audit.passed and not summary.ambiguous,
        payments=audit.payments,
        posted=audit.posted,
        held=audit.held,
        dead_letters=audit.dead_letters,
        duplicates_ignored=summary.duplicates_ignored,
        ambiguous=summary.ambiguous,
        sales_orders=audit.sales_orders,
        ar_payments=audit.ar_payments,
        double_postings=audit.double_postings,
        lost=audit.lost,
        unexplained=audit.unexplained,
        surplus=audit.surplus,
        retries=summary.retries,
        captured_minor=audit.captured_minor,
        posted_minor=audit.posted_minor,
        held_minor=audit.held_minor,
        dead_letter_minor=audit.dead_letter_minor,
        seconds=round(course.seconds, 3),
        throughput_per_s=round(audit.payments / seconds, 2),
        pace=PACE,
        lost_codes=audit.lost_codes,
        held_reasons=audit.held_reasons,
        dead_letter_reasons=audit.dead_letter_reasons,
        states=summary.states,
        course=course,
    )


def write_result(result: Result, path: Path) -> None:
    """Write the JSON file, its folder included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=2) + b"\n")


def show_result(console: Console, result: Result) -> None:
    """Print the report."""
    console.print(_counts(result))
    console.print(_money(result))
    for title, reasons in (("Held", result.held_reasons), ("Dead letters", result.dead_letter_reasons)):
        if reasons:
            console.print(_reason_table(title, reasons))
    if result.lost_codes:
        console.print("[bold red]Lost:[/] " + ", ".join(result.lost_codes[:20]))
    verdict = (
        "[bold green]Every payment ended posted, held or a dead letter with a reason, and the money agrees.[/]"
        if result.passed
        else "[bold red]The day does not add up; see the counts above.[/]"
    )
    console.print(verdict)


def _counts(result: Result) -> Table:
    table = Table(title=f"One trading day, faults: {result.course.faults}, seed {result.course.seed}")
    table.add_column("What happened")
    table.add_column("Count", justify="right")
    rows: dict[str, int | str] = {
        "Orders placed": result.course.sales,
        "Cards declined": result.course.declined,
        "Holds never captured": result.course.never_captured,
        "Payments taken at Opayo": result.payments,
        "Payments posted in SYSPRO": result.posted,
        "Sales orders in SYSPRO": result.sales_orders,
        "AR payments in SYSPRO": result.ar_payments,
        "Orders updated in the shop": result.course.told,
        "Faults on the wire": sum(sum(fired.values()) for fired in result.course.faults_fired.values()),
        "Duplicate messages ignored": result.duplicates_ignored,
        "Retries": result.retries,
        "Held for a person": result.held,
        "Dead letters": result.dead_letters,
        "Ambiguous postings": result.ambiguous,
        "Posted twice": result.double_postings,
        "Lost": result.lost,
        "Seconds": f"{result.seconds:.1f}",
        "Payments per second": f"{result.throughput_per_s:.1f}",
    }
    for name, value in rows.items():
        table.add_row(name, f"{value:,}" if isinstance(value, int) else value)
    return table


def _money(result: Result) -> Table:
    table = Table(title="Money, counted in the ledgers of Opayo and SYSPRO")
    for name in ("Currency", "Captured", "Posted", "Held", "Dead letters", "Difference"):
        table.add_column(name, justify="left" if name == "Currency" else "right")
    parts = (result.posted_minor, result.held_minor, result.dead_letter_minor)
    for currency in sorted({*result.captured_minor, *result.posted_minor}):
        captured = result.captured_minor.get(currency, 0)
        values = [part.get(currency, 0) for part in parts]
        shown = [_pounds(value) for value in (captured, *values, captured - sum(values))]
        table.add_row(currency, *shown)
    return table


def _reason_table(title: str, reasons: dict[str, Cause]) -> Table:
    table = Table(title=f"{title}: why")
    table.add_column("Payments", justify="right")
    table.add_column("Cause", overflow="fold")
    table.add_column("For example", overflow="fold")
    for cause, found in sorted(reasons.items(), key=lambda entry: -entry[1].payments):
        table.add_row(str(found.payments), cause, found.example)
    return table


def _pounds(minor: int) -> str:
    sign, minor = ("-", -minor) if minor < 0 else ("", minor)
    return f"{sign}{minor // 100:,}.{minor % 100:02d}"
