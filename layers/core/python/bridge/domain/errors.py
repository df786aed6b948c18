"""The bridge sorts its failures by the caller's next step.

    BridgeError
    ├── RetryableError            all is as before; the same call may be made again
    │   ├── ThrottledError        too many calls; wait as told
    │   │   └── ShareUsedUpError  the partner's own share is used up
    │   ├── KeyWithheldError      a signing key is served to API members only
    │   ├── UnavailableError      the other side is down, slow or answers nonsense
    │   │   ├── InfrastructureError  a service that the bridge stands on fails
    │   │   ├── TooHeavyError     it may manage when it is asked for fewer records
    │   │   │   └── TooLargeError     its answer is longer than the bridge reads
    │   │   │       └── TooMuchTogetherError  fewer records fit into a worker's memory
    │   │   ├── UntrueListError   its list breaks the order that lists have
    │   │   └── SiteUnreachableError  its server is out of reach, or another kind of server
    │   ├── OutOfTimeError        the call needs more time than this worker has left
    │   │   └── KeptWaitingError  the other side let the worker wait for all that time
    │   └── NotItsTurnError       the work waits, before anything was asked
    │       ├── NoPlaceError      the partner's places are taken
    │       └── LeftAloneError    the server kept silent, and is left alone for now
    ├── PermanentError            the same call will fail again
    │   ├── NotFoundError         the record is missing, or another owner's
    │   ├── InvalidInputError     the caller's input breaks a stated limit
    │   ├── CredentialsRejectedError
    │   ├── PermissionMissingError
    │   ├── WrongCompanyError     the address answers, but only for other companies
    │   ├── UnsafeAddressError    the bridge avoids the address
    │   ├── NotPossibleError      the record's present state forbids it
    │   ├── RefusedError          ConnectWise refuses, with a code
    │   ├── MalformedRecordError  one record is unreadable
    │   ├── MassArchiveStoppedError
    │   └── TooManyRecordsError   a list is longer than the bridge takes
    ├── ConflictError             another writer was first; read again, decide again
    │   ├── RunActiveError        a run of the kind is going on
    │   ├── LeaseTakenError       another worker holds the invoice; over at a stated time
    │   └── WindowTakenError      a limited action was used already; free again at a stated time
    └── OutcomeUnknownError       sent, answer unclear; it may have happened

Code decides by these types alone. Messages may not hold secrets or personal data, because they
end in logs and problem documents.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum


class BridgeError(Exception):
    """Every failure that the bridge names has this base."""

    retry_after_seconds: float | None = None
    """The wait that was asked for before the same call is made again, if one was."""


class RetryableError(BridgeError):
    """All is as before the call, and the same call may be made again."""

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class ThrottledError(RetryableError):
    """The tenant's rate, ours or ConnectWise's, is used up for now."""


class ShareUsedUpError(ThrottledError):
    """The partner's share of an activity is used up for now."""


class KeyWithheldError(RetryableError):
    """A signing key is served to API members only, and a worker with a member's keys fetches it."""


class UnavailableError(RetryableError):
    """The other side is down, slow or answers nonsense."""


class InfrastructureError(UnavailableError):
    """A service that the bridge itself stands on is down, slow or contended."""


class TooHeavyError(UnavailableError):
    """The call was too heavy for the other side, which may manage one for fewer records."""


class TooLargeError(TooHeavyError):
    """The other side answered, with more than the bridge reads at once."""


class TooMuchTogetherError(TooLargeError):
    """The records that were asked for fill a worker's memory together; fewer may fit."""


class UntrueListError(UnavailableError):
    """A list repeats records, goes backwards, gives more than was asked for, or never ends."""


class UnreachedCause(StrEnum):
    """A cause tells a person where to look when a server is out of reach.

    Its value is the type of the problem document as well.
    """

    HOST_UNKNOWN = "site_host_unknown"
    PORT_CLOSED = "site_port_closed"
    NO_ANSWER = "site_no_answer"
    CERTIFICATE_INVALID = "site_certificate_invalid"
    NO_TLS = "site_no_tls"
    FAILING = "site_failing"
    NOT_CONNECTWISE = "site_not_connectwise"
    NO_CODEBASE = "site_no_codebase"


class SiteUnreachableError(UnavailableError):
    """ConnectWise's server is out of reach, or something else answers there."""

    def __init__(self, cause: UnreachedCause, address: str) -> None:
        super().__init__(f"ConnectWise was not reached: {cause.value}")
        self.cause = cause
        self.address = address
        """Scheme and host, as the partner gave them; messages for logs leave it out."""


class OutOfTimeError(RetryableError):
    """The call needs more time than this worker has left; another worker goes on."""


class KeptWaitingError(OutOfTimeError):
    """The worker waited long for an answer, until its time ended."""


class NotItsTurnError(RetryableError):
    """The work waits for its turn, before anything was asked; its attempts stay as they are."""


class NoPlaceError(NotItsTurnError):
    """All of the partner's places for this kind of work are taken."""


class LeftAloneError(NotItsTurnError):
    """The connection's server kept silent lately and is left alone for the stated wait."""


class PermanentError(BridgeError):
    """The same call will fail again until a person or another record changes something."""


class NotFoundError(PermanentError):
    """The record is missing, or another owner's: the two look the same on purpose."""


class InvalidInputError(PermanentError):
    """A value breaks a stated limit."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field
        """It names the value in the caller's own terms."""


class CredentialsRejectedError(PermanentError):
    """ConnectWise rejects the company id or the keys."""


class PermissionMissingError(PermanentError):
    """The API member's security role lacks a right for this call."""

    def __init__(self, message: str, *, rights: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.rights = rights
        """Those known to be missing, in the words of the role's own screen."""


class WrongCompanyError(PermanentError):
    """The address answers, but only for other companies."""


class UnsafeAddressError(PermanentError):
    """The bridge may not call the address."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"address refused: {reason}")
        self.reason = reason
        """A fixed code."""


class NotPossibleError(PermanentError):
    """The record's present state forbids the action."""

    def __init__(self, reason: str, message: str, *, subject_id: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        """A fixed code."""
        self.subject_id = subject_id
        """The id of the caller's own record that stands in the way, if there is one."""


class RefusedError(PermanentError):
    """ConnectWise refused the request."""

    def __init__(self, code: str, *, fields: tuple[str, ...] = (), words: str = "") -> None:
        super().__init__(f"ConnectWise refused: {code}")
        self.code = code
        """ConnectWise's error code."""
        self.fields = fields
        """The fields that ConnectWise named."""
        self.words = words
        """ConnectWise's own message, for the partner's people alone; logs and events may not hold
        it."""


class MalformedRecordError(PermanentError):
    """One record is unreadable: an unknown enum value, a missing field, an impossible amount."""

    def __init__(self, reason: str, *, field: str | None = None) -> None:
        super().__init__(f"{field} {reason}" if field else reason)
        self.reason = reason
        """It goes on from the field's name where there is one: "is missing"."""
        self.field = field
        """The field as ConnectWise names it."""


class MassArchiveStoppedError(PermanentError):
    """The run would archive so many records that a person decides first (R5)."""

    def __init__(self, candidates: int, mirrored: int) -> None:
        super().__init__(f"{candidates} of {mirrored} records would be archived")
        self.candidates = candidates
        self.mirrored = mirrored


class TooManyRecordsError(PermanentError):
    """A list is longer than what one connection may bring over."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"more than {limit} records")
        self.limit = limit


class ConflictError(BridgeError):
    """The stored record moved on since it was read."""


class RunActiveError(ConflictError):
    """Another run of the same kind is going on for this connection."""

    def __init__(self, run_id: str) -> None:
        super().__init__("a run of this kind is going on")
        self.run_id = run_id


class LeaseTakenError(ConflictError):
    """Another write-back holds the invoice."""

    def __init__(self, until: datetime) -> None:
        super().__init__("the invoice is held by another write-back")
        self.until = until
        """The end of its lease (UTC)."""


class WindowTakenError(ConflictError):
    """A limited action was used already."""

    def __init__(self, free_at: datetime) -> None:
        super().__init__("the window is taken")
        self.free_at = free_at
        """The time from which it may be used again (UTC)."""


class OutcomeUnknownError(BridgeError):
    """The request was sent and a clear answer is missing: it may have taken effect."""
