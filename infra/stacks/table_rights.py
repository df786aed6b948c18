"""What each function may do with each table: the actions that its code calls, and no more.

`tests/infra/test_policies.py` reads each function's code, and names what is missing here and what
is too much.
"""

from collections.abc import Mapping

from infra.constructs.capability import ItemAction, TableRights

GET, GET_MANY, QUERY = ItemAction.GET, ItemAction.GET_MANY, ItemAction.QUERY
PUT, UPDATE = ItemAction.PUT, ItemAction.UPDATE
DELETE, CHECK = ItemAction.DELETE, ItemAction.CHECK


def _may(*actions: ItemAction, indexes: tuple[str, ...] = ()) -> TableRights:
    return TableRights(actions, indexes)


TABLE_RIGHTS: Mapping[str, Mapping[str, TableRights]] = {
    "webhook_receiver": {
        "operations": _may(GET),
        "callbacks": _may(GET, PUT),
    },
    "record_sync": {
        "records": _may(GET, GET_MANY, PUT),
        "operations": _may(GET, PUT, DELETE, indexes=("by_partner",)),
        "coordination": _may(GET, GET_MANY, PUT, UPDATE, DELETE),
        "callbacks": _may(GET, PUT, DELETE),
    },
    "bulk_sync": {
        "records": _may(GET, GET_MANY, QUERY, PUT),
        "operations": _may(GET, PUT, DELETE, indexes=("by_partner",)),
        "coordination": _may(GET, PUT, UPDATE, DELETE),
        "callbacks": _may(PUT, DELETE),
    },
    "invoice_pdf": {
        "records": _may(GET),
        "operations": _may(GET, PUT, DELETE),
        "coordination": _may(GET, PUT, UPDATE, DELETE),
        "callbacks": _may(PUT, DELETE),
    },
    "payment_writeback": {
        "records": _may(GET, indexes=("by_customer", "listing")),
        "operations": _may(GET, GET_MANY, PUT, DELETE),
        "ledger": _may(GET, GET_MANY, QUERY, PUT, DELETE, CHECK),
        "coordination": _may(GET, PUT, UPDATE, DELETE),
        "callbacks": _may(PUT, DELETE),
    },
    "customer_sync": {
        "operations": _may(GET_MANY, QUERY),
    },
    "reconciler": {
        "records": _may(GET, GET_MANY),
        "operations": _may(GET, GET_MANY, QUERY, PUT, DELETE, indexes=("by_partner",)),
        "ledger": _may(
            GET, GET_MANY, QUERY, PUT, DELETE, CHECK, indexes=("by_customer", "due", "listing")
        ),
        "coordination": _may(GET, QUERY, PUT, UPDATE, DELETE),
        "callbacks": _may(GET, PUT, DELETE),
    },
    "manual_fetch": {
        "operations": _may(GET, PUT, DELETE),
    },
    "dashboard_api": {
        "records": _may(GET, GET_MANY, QUERY, PUT, indexes=("by_customer", "listing")),
        "operations": _may(GET, GET_MANY, QUERY, PUT, DELETE, indexes=("by_partner",)),
        "ledger": _may(
            GET, GET_MANY, QUERY, PUT, DELETE, CHECK, indexes=("by_customer", "listing")
        ),
        "coordination": _may(GET, PUT, UPDATE),
        "callbacks": _may(PUT, DELETE),
    },
    "dead_letters": {
        "operations": _may(GET, PUT, DELETE, indexes=("by_partner",)),
        "ledger": _may(GET, PUT, DELETE, CHECK),
    },
}
