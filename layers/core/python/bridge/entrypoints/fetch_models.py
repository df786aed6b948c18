"""Fetch models are shared by the function that answers a fetch and the API's document of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class FetchKind(StrEnum):
    """A kind names one of the two buttons of the preferences page."""

    NEW = "fetch_new"
    UNPAID = "fetch_unpaid"


class FetchInput(BaseModel):
    """A fetch is asked for by its kind."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    kind: FetchKind


class FetchView(BaseModel):
    """A fetch that was started is a run."""

    run_id: str
    kind: FetchKind
    state: str
    free_at: datetime = Field(description="When the same fetch may be started again (UTC).")
