"""R10: no float becomes an amount, whichever way it takes into the tables."""

from __future__ import annotations

from typing import Any, cast

import pytest

from bridge.store.attributes import from_item, to_attribute


@pytest.mark.parametrize("value", [1.5, 2.0, float("nan")])
def test_a_float_is_no_attribute(value: float) -> None:
    for attribute in (value, [value], {"amount_minor": value}):
        with pytest.raises(TypeError):
            to_attribute(cast(Any, attribute))
    with pytest.raises(TypeError):
        from_item(cast(Any, {"amount_minor": value}))
