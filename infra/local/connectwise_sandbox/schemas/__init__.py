"""The entities that the sandbox serves: their fields, types and limits."""

from infra.local.connectwise_sandbox.schemas.validation import (
    FieldError,
    property_names,
    validate_new,
)

__all__ = ["FieldError", "property_names", "validate_new"]
