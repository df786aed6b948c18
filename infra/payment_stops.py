"""`make payments STAGE=prod ACTION=stop`: stops payments of one partner or of all, and allows them.

To be run by the on-call engineer with the credentials of the environment. While payments are
stopped nothing is posted to ConnectWise and nothing is deleted there; looks go on, so that what was
sent before is still found. After a restore of the ledger table, `restored` has each invoice
compared with ConnectWise before anything is posted there, until `compared` takes it back.
"""

import argparse
from datetime import UTC, datetime

import boto3

from bridge.aws.clock import SystemClock
from bridge.domain.payment_control import EVERY_PARTNER, PaymentStop, RestoreMark
from bridge.ports import PaymentControlStore
from bridge.store.payment_control import DynamoPaymentControlStore
from bridge.store.table import Table
from infra.config import STAGES, stage_config
from infra.constructs.table import table_name

ACTIONS = ("stop", "allow", "show", "restored", "compared")


def act(control: PaymentControlStore, action: str, partner_id: str, *, note: str = "") -> str:
    """Carry out an action, and return what holds now in words."""
    now = datetime.now(UTC)
    match action:
        case "stop":
            control.put_stop(PaymentStop(partner_id, now, note))
        case "allow":
            control.clear_stop(partner_id)
        case "restored":
            control.put_restore_mark(RestoreMark(now))
        case "compared":
            control.clear_restore_mark()
    return _shown(control, partner_id)


def _shown(control: PaymentControlStore, partner_id: str) -> str:
    whose = "of all partners" if partner_id == EVERY_PARTNER else f"of partner {partner_id}"
    stop = control.stop_of(partner_id)
    mark = control.restore_mark()
    lines = [f"payments {whose}: written"]
    if stop is not None:
        scope = "for all" if stop.partner_id == EVERY_PARTNER else "for this partner"
        note = f" ({stop.note})" if stop.note else ""
        lines = [f"payments {whose}: stopped {scope} since {stop.stopped_at:%F %T} UTC{note}"]
    if mark is not None:
        lines.append(f"invoices are compared first, since the restore of {mark.restored_at:%F %T}")
    return "\n".join(lines)


def main() -> None:
    """Act on the stage named on the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=ACTIONS)
    parser.add_argument("--stage", required=True, choices=sorted(STAGES))
    parser.add_argument("--partner", default=EVERY_PARTNER, help="a partner's id; all without it")
    parser.add_argument("--note", default="", help="why, for the next reader")
    arguments = parser.parse_args()
    name = table_name(stage_config(arguments.stage), "Operations")
    table = Table(boto3.client("dynamodb"), name, SystemClock())
    control = DynamoPaymentControlStore(table)
    print(act(control, arguments.action, arguments.partner, note=arguments.note))


if __name__ == "__main__":
    main()
