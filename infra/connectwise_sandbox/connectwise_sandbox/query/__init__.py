"""The query language of ConnectWise filters, sorts and projects lists.

Every function takes the decoded text of one query parameter and returns a compiled function over
wire records. Compiled queries are cached by their text. A shape, from `shape_of(kind)`, makes them
as strict about names and types as ConnectWise is.
The language follows the ConnectWise developer guide, query string parameters.
"""

from connectwise_sandbox.query.bounds import Bounds, read_bounds
from connectwise_sandbox.query.conditions import (
    compile_child_conditions,
    compile_conditions,
    compile_custom_field_conditions,
)
from connectwise_sandbox.query.errors import QueryError
from connectwise_sandbox.query.ordering import Order, compile_order_by
from connectwise_sandbox.query.selection import select_fields, selected_names
from connectwise_sandbox.query.shapes import Shape, shape_of
from connectwise_sandbox.query.values import Record

__all__ = [
    "Bounds",
    "Order",
    "QueryError",
    "Record",
    "Shape",
    "compile_child_conditions",
    "compile_conditions",
    "compile_custom_field_conditions",
    "compile_order_by",
    "read_bounds",
    "select_fields",
    "selected_names",
    "shape_of",
]
