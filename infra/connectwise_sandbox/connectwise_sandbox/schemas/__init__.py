"""The schemas define the fields, types and limits of the entities that the sandbox serves.

Each kind has a pydantic model in a module beside this one; names and types are those of
ConnectWise's published interface, version 2025.1.
"""

from connectwise_sandbox.schemas.models import MODELS
from connectwise_sandbox.schemas.validation import (
    FieldError,
    property_names,
    validate_new,
)

__all__ = ["MODELS", "FieldError", "property_names", "validate_new"]
