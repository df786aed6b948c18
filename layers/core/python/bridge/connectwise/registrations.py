"""Keeps the callback registrations as they should be: one for invoices, one for companies.

Source of the facts: ConnectWise developer guide, callbacks. The registered URL ends with an empty
``recordId`` parameter, to which ConnectWise appends the record's id.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.connectwise.bulk_reader import BulkReader
from bridge.connectwise.callback_types import CALLBACK_TYPES
from bridge.connectwise.client import ConnectWiseClient
from bridge.connectwise.wire import CallbackRow, MemberRow, parse_row
from bridge.domain.errors import (
    MalformedRecordError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionMissingError,
    RefusedError,
    UnavailableError,
)

CALLBACKS = "/system/callbacks"
CALLBACK = "/system/callbacks/{id}"
MEMBER_INFO = "/system/info/members"
MEMBERS = "/system/members"
TYPES = tuple(CALLBACK_TYPES)
LEVEL = "owner"
OWNER_OBJECT_ID = 1
DESCRIPTION = "Payments platform bridge"
RECORD_ID_ENDING = "?recordId="

_FIELDS = "id,url,type,level,objectId,memberId,inactiveFlag"
_EXISTS_ALREADY = "ObjectExists"


class Registrations:
    """The callback registrations of one connection; those of anybody else stay as they are."""

    def __init__(self, client: ConnectWiseClient, reader: BulkReader) -> None:
        self._client = client
        self._reader = reader

    def ensure(self, url: str) -> str:
        """Make the registrations exactly one each at ``url``; see ``Psa.ensure_callbacks``.

        An older registration of ours is turned into the wanted one, so that each event
        arrives once meanwhile. Returns the API member's identifier, "" where reading it is refused.
        """
        target = url if url.endswith("=") else f"{url}{RECORD_ID_ENDING}"
        prefix = url.partition("?")[0].rpartition("/")[0] + "/"
        ours = [row for row in self._list() if row.url.startswith(prefix)]
        kept: dict[str, CallbackRow] = {}
        for type_name in TYPES:
            candidates = [row for row in ours if _is_owner_level(row, type_name)]
            candidates.sort(key=lambda row: (row.url != target, row.inactive_flag, row.id))
            kept[type_name] = (
                self._corrected(candidates[0], target)
                if candidates
                else self._created(type_name, target)
            )
        kept_ids = {row.id for row in kept.values()}
        for row in ours:
            if row.id not in kept_ids:
                self._delete(row.id)
        return self._member_identifier(kept["invoice"].member_id)

    def remove(self, url_prefix: str) -> None:
        """Delete every registration whose URL begins with the prefix."""
        if not url_prefix.strip("/"):
            raise ValueError("an empty prefix would name everybody's callbacks")
        for row in self._list():
            if row.url.startswith(url_prefix):
                self._delete(row.id)

    def list_urls(self) -> tuple[str, ...]:
        return tuple(row.url for row in self._list())

    def _list(self) -> list[CallbackRow]:
        rows = self._reader.all(CALLBACKS, {"fields": _FIELDS})
        found = []
        for json in rows:
            try:
                found.append(parse_row(CallbackRow, json))
            except MalformedRecordError:
                # An unreadable registration is not one that we made.
                continue
        return found

    def _corrected(self, row: CallbackRow, target: str) -> CallbackRow:
        """Return the registration at the wanted URL and active, as ConnectWise confirms it."""
        changes: list[Mapping[str, Any]] = []
        if row.url != target:
            changes.append({"op": "replace", "path": "url", "value": target})
        if row.inactive_flag:
            changes.append({"op": "replace", "path": "inactiveFlag", "value": False})
        if not changes:
            return row
        try:
            confirmed = parse_row(
                CallbackRow, self._send("PATCH", CALLBACK, ids={"id": row.id}, body=changes)
            )
        except NotFoundError:
            return self._created(row.type.lower(), target)
        if confirmed.url == target and not confirmed.inactive_flag:
            return confirmed
        # ConnectWise may answer a patch with success and change nothing.
        self._delete(row.id)
        return self._created(row.type.lower(), target)

    def _created(self, type_name: str, target: str) -> CallbackRow:
        body = {
            "description": DESCRIPTION,
            "url": target,
            "objectId": OWNER_OBJECT_ID,
            "type": type_name,
            "level": LEVEL,
        }
        try:
            return parse_row(CallbackRow, self._send("POST", CALLBACKS, body=body))
        except RefusedError as error:
            if error.code != _EXISTS_ALREADY:
                raise
            return self._existing(type_name, target, error)

    def _existing(self, type_name: str, target: str, refusal: RefusedError) -> CallbackRow:
        """Return the registration that somebody, perhaps a worker beside us, was faster with."""
        for row in self._list():
            if row.url == target and _is_owner_level(row, type_name):
                return row
        raise refusal

    def _delete(self, callback_id: int) -> None:
        try:
            self._send("DELETE", CALLBACK, ids={"id": callback_id})
        except NotFoundError:
            return

    def _send(
        self,
        method: str,
        route: str,
        *,
        ids: Mapping[str, int] | None = None,
        body: object | None = None,
    ) -> Any:
        """Make a change; after an unclear outcome the next round sees the result."""
        try:
            return self._client.send(method, route, ids=ids, body=body)
        except OutcomeUnknownError as error:
            raise UnavailableError("a callback registration is unclear") from error

    def _member_identifier(self, member_id: int | None) -> str:
        if not member_id:
            return ""
        query = {"conditions": f"id={member_id}", "fields": "id,identifier"}
        for route in (MEMBER_INFO, MEMBERS):
            try:
                rows = self._reader.all(route, query)
                members = [parse_row(MemberRow, json) for json in rows]
            except (NotFoundError, PermissionMissingError, RefusedError, MalformedRecordError):
                continue
            for member in members:
                if member.id == member_id and member.identifier:
                    return member.identifier
        return ""


def _is_owner_level(row: CallbackRow, type_name: str) -> bool:
    """Tell whether a registration is for all records of a type; ConnectWise keeps any case."""
    return row.type.lower() == type_name and row.level.lower() == LEVEL
