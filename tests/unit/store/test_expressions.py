"""Expressions reach DynamoDB with every name substituted."""

from __future__ import annotations

from bridge.store.expressions import all_equal, parameters, version_is


def test_names_and_paths_are_substituted_and_values_tagged() -> None:
    condition = all_equal({"state": "open", "data.currency.code": "USD"})
    assert condition is not None
    request = parameters({"FilterExpression": condition.expression}, condition.values)
    assert request == {
        "FilterExpression": "#state = :state AND #data.#currency.#code = :data_currency_code",
        "ExpressionAttributeNames": {
            "#code": "code",
            "#currency": "currency",
            "#data": "data",
            "#state": "state",
        },
        "ExpressionAttributeValues": {":state": {"S": "open"}, ":data_currency_code": {"S": "USD"}},
    }


def test_nothing_asked_is_no_filter() -> None:
    assert all_equal({}) is None
    assert parameters({"FilterExpression": ""}, {}) == {}


def test_version_0_means_that_nothing_is_there() -> None:
    assert version_is(0).expression == "attribute_not_exists(#pk)"
    assert version_is(4).values == {"expected_version": 4}
