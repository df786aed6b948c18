"""Every failure the bridge names, sorted by what the caller may do next.

    BridgeError
    ├── RetryableError            nothing happened; the same call may be made again
    │   ├── ThrottledError        too many calls; wait as told
    │   ├── UnavailableError      the other side did not answer usefully
    │   └── OutOfTimeError        this worker has no time left for the call
    ├── PermanentError            the same call will fail again
    │   ├── NotFoundError         no such record, or not the caller's
    │   ├── InvalidInputError     the caller's input breaks a stated limit
    │   ├── CredentialsRejectedError
    │   ├── PermissionMissingError
    │   ├── WrongCompanyError     the address answers, but not for this company
    │   ├── UnsafeAddressError    the address may not be called
    │   ├── NotPossibleError      the record's present state does not allow it
    │   ├── RefusedError          ConnectWise says no, with a code
    │   └── MalformedRecordError  one record cannot be read
    ├── ConflictError             somebody else changed it first; read again, decide again
    │   ├── RunActiveError        a run of the kind is going on
    │   ├── LeaseTakenError       another worker holds the invoice; over at a stated time
    │   └── WindowTakenError      a limited action was used already; free again at a stated time
    └── OutcomeUnknownError       sent, no clear answer; it may or may not have happened

Code decides by these types, never by the text of a message. Messages hold no secrets and no
personal data, because they end in logs and problem documents.
"""

from __future__ import annotations

from datetime import datetime


class BridgeError(Exception):
    """Base of all failures that the bridge names."""

    retry_after_seconds: float | None = None
    """The wait that was asked for before the same call is made again, if one was."""


class RetryableError(BridgeError):
    """Nothing happened; the same call may be made again."""

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class ThrottledError(RetryableError):
    """The tenant's rate, ours or ConnectWise's, is used up for now."""


class UnavailableError(RetryableError):
    """The other side is down, slow or answers nonsense."""


class OutOfTimeError(RetryableError):
    """The worker's remaining time does not cover the call; another worker goes on."""


class PermanentError(BridgeError):
    """The same call will fail again until a person or another record changes something."""


class NotFoundError(PermanentError):
    """No such record, or it belongs to somebody else: the two look the same on purpose."""


class InvalidInputError(PermanentError):
    """A value breaks a stated limit. ``field`` names it in the caller's own terms."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class CredentialsRejectedError(PermanentError):
    """ConnectWise does not accept the company id and keys."""


class PermissionMissingError(PermanentError):
    """The API member's security role lacks a right for this call.

    ``rights`` names those known to be missing, in the words of the role's own screen.
    """

    def __init__(self, message: str, *, rights: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.rights = rights


class WrongCompanyError(PermanentError):
    """The address answers, but knows no such company."""


class UnsafeAddressError(PermanentError):
    """The address is not one the bridge may call. ``reason`` is a fixed code."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"address refused: {reason}")
        self.reason = reason


class NotPossibleError(PermanentError):
    """The record's present state does not allow it. ``reason`` is a fixed code.

    ``subject_id`` is the id of the caller's own record that stands in the way, if there is one.
    """

    def __init__(self, reason: str, message: str, *, subject_id: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.subject_id = subject_id


class RefusedError(PermanentError):
    """ConnectWise refused the request. ``code`` is its error code, ``fields`` what it named."""

    def __init__(self, code: str, *, fields: tuple[str, ...] = ()) -> None:
        super().__init__(f"ConnectWise refused: {code}")
        self.code = code
        self.fields = fields


class MalformedRecordError(PermanentError):
    """One record cannot be read: an unknown enum value, a missing field, an impossible amount."""

    def __init__(self, reason: str, *, field: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.field = field


class MassArchiveStoppedError(PermanentError):
    """The run would archive more than a person should learn about afterwards (R5)."""

    def __init__(self, candidates: int, mirrored: int) -> None:
        super().__init__(f"{candidates} of {mirrored} records would be archived")
        self.candidates = candidates
        self.mirrored = mirrored


class ConflictError(BridgeError):
    """The stored record moved on since it was read."""


class RunActiveError(ConflictError):
    """Another run of the same kind is going on for this connection."""

    def __init__(self, run_id: str) -> None:
        super().__init__("a run of this kind is going on")
        self.run_id = run_id


class LeaseTakenError(ConflictError):
    """Another write-back holds the invoice. ``until`` tells when its lease is over (UTC)."""

    def __init__(self, until: datetime) -> None:
        super().__init__("the invoice is held by another write-back")
        self.until = until


class WindowTakenError(ConflictError):
    """A limited action was used already. ``free_at`` tells when it may be used again (UTC)."""

    def __init__(self, free_at: datetime) -> None:
        super().__init__("the window is taken")
        self.free_at = free_at


class OutcomeUnknownError(BridgeError):
    """The request was sent and no clear answer came: it may have taken effect."""
