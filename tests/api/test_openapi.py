"""The description of the API says what the API does."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from tests.api.office import Office
from tests.api.routes import ROUTES


@pytest.fixture
async def schema(desk: Office) -> dict[str, Any]:
    found: dict[str, Any] = (await desk.http.get(f"{desk.url}/schema/openapi.json")).json()
    return found


def _fits(names: list[str], parts: list[str]) -> bool:
    return len(names) == len(parts) and all(
        name == part or name.startswith("{") for name, part in zip(names, parts, strict=True)
    )


def described(schema: dict[str, Any], method: str, path: str) -> dict[str, Any]:
    """The operation of a concrete path: of the templates that fit, the one with the fewest parameters."""
    parts = path.split("?", maxsplit=1)[0].split("/")
    fitting = [
        template
        for template, methods in schema["paths"].items()
        if method.lower() in methods and _fits(template.split("/"), parts)
    ]
    if fitting:
        operation: dict[str, Any] = schema["paths"][min(fitting, key=lambda each: each.count("{"))][
            method.lower()
        ]
        return operation
    raise AssertionError(f"{method} {path} is not described")


async def test_what_routes_answer_has_the_shape_that_is_described(
    desk: Office, schema: dict[str, Any]
) -> None:
    await desk.site.sale("SO-1", 1_000)
    await desk.site.sale("SO-2", 9_999_999)
    await desk.site.walk()
    for route in ROUTES:
        if route.path.endswith("/live"):
            continue
        key = "* admin" if route.path == "/metrics" else "north admin"
        answer = await desk.call(route.method, route.at("north"), key, json=route.body)
        operation = described(schema, route.method, route.at("north"))
        told = operation["responses"].get(str(answer.status_code))
        assert told is not None, f"{route.method} {route.path} answered {answer.status_code}"
        content = told.get("content", {})
        kind = answer.headers.get("content-type", "").split(";")[0]
        if not kind.endswith("json"):
            continue
        assert kind in content, (route, kind)
        shape = {**content[kind]["schema"], "components": schema["components"]}
        jsonschema.validate(answer.json(), shape)


async def test_every_operation_has_a_summary_a_tag_and_its_problems(schema: dict[str, Any]) -> None:
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            assert operation.get("summary"), (method, path)
            assert operation.get("tags"), (method, path)
            if path.startswith("/api/"):
                problem = operation["responses"]["404"]["content"]["application/problem+json"]["schema"]
                assert problem["$ref"].endswith("Problem")
