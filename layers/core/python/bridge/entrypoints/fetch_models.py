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

    kind: FetchKind = Field(description="`fetch_new` once an hour, `fetch_unpaid` in twelve.")


class FetchView(BaseModel):
    """A fetch that was started is a run."""

    run_id: str = Field(description="The run that fetches.")
    kind: FetchKind = Field(description="Which of the two fetches it is.")
    state: str = Field(description="How far the run is.")
    free_at: datetime = Field(description="When the same fetch may be started again (UTC).")


class FetchWindowView(BaseModel):
    """A fetch may be started again from a time on."""

    kind: FetchKind = Field(description="Which of the two fetches it is.")
    is_free: bool = Field(description="It may be started now.")
    free_at: datetime | None = Field(
        description="When it may be started again (UTC); null: it may be now."
    )
    every_seconds: int = Field(description="It may be started once in so many seconds.")


class FetchWindowList(BaseModel):
    """Both fetches of a connection."""

    items: list[FetchWindowView] = Field(description="`fetch_new`, then `fetch_unpaid`.")
