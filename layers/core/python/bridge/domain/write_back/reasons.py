"""A reason says why a write-back waits for a person."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Each reason has its text in the API and the runbook."""

    NONE = ""
    INVOICE_GONE = "invoice_gone"
    INVOICE_LOCKED = "invoice_locked"
    OVERPAYMENT = "overpayment"
    CURRENCY_DIFFERS = "currency_differs"
    RIGHT_MISSING = "right_missing"
    CREDENTIALS_REJECTED = "credentials_rejected"
    REFUSED = "refused"
    STATUS_REFUSED = "status_refused"
    MEMBER_UNKNOWN = "member_unknown"
    DISCONNECTED = "disconnected"
    REVERSE_BY_HAND = "reverse_by_hand"
    OTHERS_REPLACED = "others_replaced"
    TOO_MANY_POSTS = "too_many_posts"
    TOO_MANY_PAYMENTS = "too_many_payments"
    PAID_BY_HAND = "paid_by_hand"
    NOTHING_OWED = "nothing_owed"
    POSSIBLE_DUPLICATE = "possible_duplicate"
    LOOKS_WRITTEN = "looks_written"
    PAYMENT_GONE = "payment_gone"
    PAYMENT_REWRITTEN = "payment_rewritten"
    PAYMENT_CHANGED = "payment_changed"
    LATE_EFFECT = "late_effect"
    DELETION_IGNORED = "deletion_ignored"
    REVERSED_TWICE = "reversed_twice"
    PAYMENT_DISPUTED = "payment_disputed"
    PAYMENT_HIDDEN = "payment_hidden"
    UNREADABLE = "unreadable"
    NO_ANSWER = "no_answer"
    STOPPED = "stopped"
    OUR_FAULT = "our_fault"
