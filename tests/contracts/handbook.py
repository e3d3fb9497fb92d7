"""The handbook's tables that are made from the code: `python -m tests.contracts.handbook` writes them anew.

A page marks the place with `<!-- table: NAME -->` and `<!-- end of table -->`; a test compares what is between.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
from litestar.handlers import HTTPRouteHandler
from prometheus_client.metrics import MetricWrapperBase

from service import telemetry
from service.app import create_app
from service.core import screening
from service.core.events import EVENT_TYPES
from service.core.flow_steps import STEPS, VARIABLES, Setting, Step
from service.core.transforms import CATALOGUE, Argument
from service.settings import Settings, table
from service.store.database import Database
from service.store.pairs import PairSettings

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "service" / "docs"
PAGES = (*sorted(DOCS.glob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md")

_MARKED = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end of table -->)", re.DOTALL)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def settings() -> str:
    rows = [(f"`{name}`", f"`{default}`" if default else "–", meaning) for name, default, meaning in table()]
    return _table(("variable", "default", "meaning"), rows)


def _argument(argument: Argument) -> str:
    default = "" if argument.default is None else f" = {str(argument.default)!r}"
    return f"`{argument.name}`{default}"


def functions() -> str:
    rows = [
        (f"`{name}`", ", ".join(map(_argument, each.arguments)) or "–", each.summary)
        for name, each in CATALOGUE.items()
    ]
    return _table(("function", "arguments", "what it does"), rows)


def _setting(step: Step, name: str, setting: Setting) -> str:
    need = "required" if setting.required else "one of these" if name in step.one_of else "optional"
    choices = f": {', '.join(f'`{choice}`' for choice in setting.choices)}" if setting.choices else ""
    bounds = f" {setting.least} to {setting.most}" if setting.kind == "integer" else ""
    return f"`{name}` ({setting.kind}{bounds}, {need}{choices})"


def steps() -> str:
    rows = [
        (
            f"`{name}`",
            step.summary,
            "; ".join(_setting(step, key, value) for key, value in step.settings.items()) or "–",
        )
        for name, step in STEPS.items()
    ]
    return _table(("step", "what it does", "settings"), rows)


def variables() -> str:
    return _table(("variable", "meaning"), [(f"`{name}`", meaning) for name, meaning in VARIABLES.items()])


def facts() -> str:
    kinds = inspect.get_annotations(screening.Facts)
    rows = [(f"`{name}`", str(kinds[name])) for name in screening.Facts.__struct_fields__]
    return _table(("fact", "kind"), rows)


def metrics() -> str:
    rows = []
    for each in vars(telemetry).values():
        if isinstance(each, MetricWrapperBase):
            (metric,) = each.describe()
            name = f"{metric.name}_total" if metric.type == "counter" else metric.name
            rows.append((f"`{name}`", metric.type, ", ".join(each._labelnames), metric.documentation))
    return _table(("metric", "kind", "labels", "meaning"), rows)


def _handlers() -> Iterator[tuple[str, str, HTTPRouteHandler]]:
    for route in create_app(Settings(), Database("postgresql://localhost/unused")).routes:
        handlers = [
            each for each in getattr(route, "route_handlers", ()) if isinstance(each, HTTPRouteHandler)
        ]
        for handler in handlers:
            for method in sorted(handler.http_methods - {"OPTIONS", "HEAD"} if handler.summary else ()):
                yield re.sub(r":\w+}", "}", route.path), method, handler


def _role(handler: HTTPRouteHandler) -> str:
    roles = [inspect.getclosurevars(guard).nonlocals.get("role") for guard in handler.guards or ()]
    return next((str(role) for role in roles if role), "–")


def routes() -> str:
    rows = [
        (", ".join(sorted(handler.tags or ())), path, method, handler)
        for path, method, handler in _handlers()
    ]
    return _table(
        ("route", "role", "what it does"),
        [
            (f"`{method} {path}`", _role(handler), f"{group}: {handler.summary}".removeprefix(": "))
            for group, path, method, handler in sorted(rows, key=lambda row: row[:3])
        ],
    )


def event_types() -> str:
    return _table(("type", "meaning"), [(f"`{name}`", meaning) for name, meaning in EVENT_TYPES.items()])


TABLES: dict[str, Callable[[], str]] = {
    "event_types": event_types,
    "settings": settings,
    "functions": functions,
    "steps": steps,
    "variables": variables,
    "facts": facts,
    "metrics": metrics,
    "routes": routes,
}


def members(struct: type[msgspec.Struct]) -> set[str]:
    """The names of the members of a struct and of the structs in it."""
    info = msgspec.inspect.type_info(struct)
    found: set[str] = set()
    waiting = [info]
    while waiting:
        each = waiting.pop()
        if isinstance(each, msgspec.inspect.StructType):
            found |= {field.encode_name for field in each.fields}
            waiting += [field.type for field in each.fields]
        elif isinstance(each, msgspec.inspect.UnionType):
            waiting += each.types
        elif isinstance(each, msgspec.inspect.ListType):
            waiting.append(each.item_type)
    return found


def read_pair(text: str) -> PairSettings:
    """A pair as `OPAYO_SYSPRO_PAIR` takes it."""
    return msgspec.json.decode(text, type=PairSettings)


def refreshed(page: Path) -> str:
    """A page's text with its tables made anew."""
    return _MARKED.sub(lambda found: f"{found[1]}{TABLES[found[2]]()}{found[3]}", page.read_text("utf-8"))


def marked(page: Path) -> list[str]:
    """The names of the tables on a page."""
    return [found[2] for found in _MARKED.finditer(page.read_text("utf-8"))]


if __name__ == "__main__":
    for each_page in PAGES:
        each_page.write_text(refreshed(each_page), "utf-8")
