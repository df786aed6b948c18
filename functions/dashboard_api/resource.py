"""A resource groups routes, and describes each of them by the function that answers it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse
from pydantic import BaseModel

JSON = "application/json"

F = TypeVar("F", bound=Callable[..., Any])


class Resource:
    """A resource registers functions as routes and reads the document's texts from them.

    A function's name becomes the operation id, its docstring's first line the summary and the
    paragraphs that follow the description.
    """

    def __init__(self, tag: str) -> None:
        self.router = Router()  # type: ignore[no-untyped-call]  # lacks annotations in Powertools
        self._tag = tag

    def route(
        self,
        method: str,
        path: str,
        *,
        status: HTTPStatus = HTTPStatus.OK,
        answers: dict[int, OpenAPIResponse] | None = None,
    ) -> Callable[[F], F]:
        """Register a function; ``answers`` describe a route with several good answers."""

        def register(function: F) -> F:
            first, *rest = function.__name__.split("_")
            summary, _, description = (inspect.getdoc(function) or "").partition("\n\n")
            add = self.router.route(
                path,
                method,
                summary=summary.removesuffix("."),
                description=" ".join(description.split()) or summary,
                tags=[self._tag],
                operation_id=first + "".join(word.capitalize() for word in rest),
                status_code=status.value,
                responses=answers,
            )
            return add(function)

        return register


def answer(
    description: str, model: type[BaseModel], *, headers: dict[str, str] | None = None
) -> OpenAPIResponse:
    """Return the description of one answer out of several, with its headers."""
    told: OpenAPIResponse = {"description": description, "content": {JSON: {"model": model}}}
    if headers:
        described = headers.items()
        told["headers"] = {
            name: {"description": text, "schema": {"type": "string"}} for name, text in described
        }
    return told
