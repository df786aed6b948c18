"""The installation answers about itself: discovery, info, members, callbacks, signing key."""

from __future__ import annotations

from typing import ClassVar
from urllib.parse import unquote

from connectwise_sandbox.bodies import read_json
from connectwise_sandbox.callbacks import registration_of
from connectwise_sandbox.errors import html_not_found
from connectwise_sandbox.kinds import Kind, Record
from connectwise_sandbox.listing import answer_list, select_properties
from connectwise_sandbox.messages import (
    Request,
    Response,
    json_response,
    text_response,
)
from connectwise_sandbox.permissions import Action, Rows
from connectwise_sandbox.resources import READ_WRITE, Resource
from connectwise_sandbox.routing import Call, Router
from connectwise_sandbox.tenant import Tenant, random_guid

COMPANY_INFO = "/login/companyinfo/"
CALLBACK_KEY = "/system/callbackkey/index.rails"
VERSION = "v2025.1"
VERSION_NUMBER = "v4.6.101357"
_MEMBER_INFO = (
    "id",
    "identifier",
    "firstName",
    "middleInitial",
    "lastName",
    "defaultEmail",
    "licenseClass",
    "inactiveFlag",
)
_LICENSES = ("Sales", "Procurement", "Service", "Project", "TimeAndExpense", "Finance")
_REPORTS = ("Agreement", "Company", "Contact", "Invoice", "InvoiceProduct", "Service", "Time")


class Callbacks(Resource):
    """This resource registers callbacks.

    The right to read Table Setup covers every method (our reading: the integration's guide, which
    has to allow callbacks, grants only that row under System).
    """

    set_by_server: ClassVar[frozenset[str]] = frozenset(
        {"connectWiseID", "memberId", "payloadVersion"}
    )

    def __init__(self) -> None:
        super().__init__(
            Kind.CALLBACK,
            "/system/callbacks",
            Rows.TABLE_SETUP,
            methods=READ_WRITE,
            row_action=Action.INQUIRE,
        )

    def create(self, call: Call) -> Response:
        """Register a callback."""
        entry = registration_of(call.tenant, read_json(call.request))
        own = {name: value for name, value in entry.items() if name not in ("id", "_info")}
        guid = random_guid(call.tenant.random)
        own |= {"memberId": find_api_member_id(call.tenant), "connectWiseID": guid}
        return self.answer(call, 201, call.tenant.add(Kind.CALLBACK, own, call.member))

    def change(self, tenant: Tenant, before: Record, after: Record, by: str) -> Record:
        """Store a changed entry; switching it on again forgets its failures."""
        entry = registration_of(tenant, after, own_id=before["id"])
        if before["inactiveFlag"] and not entry["inactiveFlag"]:
            tenant.deliveries.forget_failures(before["id"])
        return tenant.change(Kind.CALLBACK, entry, by)


def find_api_member_id(tenant: Tenant) -> int:
    """Return the id of the API member, 0 in empty books."""
    identifier = tenant.identity.member_identifier
    rows = tenant.store[Kind.MEMBER]
    return next((row["id"] for row in rows if row["identifier"] == identifier), 0)


def answer_company_info(tenant: Tenant, path: str) -> Response:
    """Answer the discovery of a company's codebase, `null` for an unknown company.

    `IsCloud` is a text (ConnectWise developer guide, codebase discovery).
    """
    if unquote(path.removeprefix(COMPANY_INFO)).rstrip("/") != tenant.identity.company_id:
        return json_response(200, None)
    on_premise = tenant.switches.hosting == "on_premise"
    payload = {
        "CompanyName": tenant.identity.company_name,
        "Codebase": tenant.codebase,
        "VersionCode": VERSION,
        "VersionNumber": VERSION_NUMBER,
        "CompanyID": tenant.identity.company_id,
        "IsCloud": "False" if on_premise else "True",
    }
    return json_response(200, payload)


def answer_callback_key(tenant: Tenant, request: Request, *, authenticated: bool) -> Response:
    """Answer the key that signs callbacks; it is served as text."""
    access = tenant.switches.callback_key_access
    if access == "client_id" and not request.headers.get("clientid"):
        return json_response(401, {"code": "Unauthorized", "message": "A clientId is required."})
    if access == "authenticated" and not authenticated:
        return json_response(401, {"code": "Unauthorized", "message": "Please log in."})
    key = tenant.signing_keys.find(request.parameter("id") or "")
    if key is None or request.parameter("companyName") != tenant.identity.company_id:
        raise html_not_found()
    return text_response(200, f'{{"signing_key":"{key.text}"}}')


def install_system(router: Router) -> None:
    """Register the routes of system info, member info and reports."""
    router.add("GET", "/system/info", _read_info, None)
    router.add("GET", "/system/info/members", _list_member_info, None)
    reports = (Rows.REPORT_WRITER, Action.INQUIRE)
    router.add("GET", "/system/reports", _list_reports, reports)


def _read_info(call: Call) -> Response:
    cloud = call.tenant.switches.hosting == "cloud"
    payload = {
        "version": f"{VERSION}.10333",
        "isCloud": cloud,
        "serverTimeZone": "GMT Standard Time",
        "licenseBits": [{"name": name, "activeFlag": True} for name in _LICENSES],
        "maxWorkFlowRecordsAllowed": 100,
    }
    if cloud:
        payload["cloudRegion"] = "NA"
    return json_response(200, select_properties(call.request, [payload])[0])


def _list_member_info(call: Call) -> Response:
    rows = [_member_info(member) for member in call.tenant.store[Kind.MEMBER]]
    return answer_list(
        call.tenant, call.request, Kind.SECURITY_ROLE, lambda _: rows, shape_name="memberInfo"
    )


def _member_info(member: Record) -> Record:
    shown = {name: member[name] for name in _MEMBER_INFO if name in member}
    return shown | {"fullName": f"{member['firstName']} {member['lastName']}"}


def _list_reports(_: Call) -> Response:
    return json_response(200, [{"name": name} for name in _REPORTS])
