"""The entities that the sandbox serves: their fields, types and limits.

One pydantic model for each kind, in the modules beside this one; names and types are the facts of
ConnectWise's published interface, version 2025.1.
"""

from connectwise_sandbox.schemas.models import MODELS
from connectwise_sandbox.schemas.validation import (
    FieldError,
    property_names,
    validate_new,
)

__all__ = ["MODELS", "FieldError", "property_names", "validate_new"]
