"""Products are drafted here, from the catalog and with the share that an agreement covers."""

from __future__ import annotations

from decimal import Decimal

from connectwise_sandbox.books.entry import Pen
from connectwise_sandbox.books.setup_tables import EACH
from connectwise_sandbox.kinds import Kind, Record
from connectwise_sandbox.money import ZERO, rounded

_FINE_DECIMALS = 4
_HALF_CENT = Decimal("0.0049")
_STANDING: Record = {
    # With these a product has 42 properties; Python doubles the room of a dictionary at the 43rd.
    "unitOfMeasure": EACH,
    "uom": EACH["name"],
    "taxableFlag": True,
    "dropshipFlag": False,
    "specialOrderFlag": False,
    "phaseProductFlag": False,
    "cancelledFlag": False,
    "quantityCancelled": ZERO,
    "productSuppliedFlag": False,
    "subContractorAmountLimit": ZERO,
    "calculatedPriceFlag": False,
    "calculatedCostFlag": False,
    "needToPurchaseFlag": False,
    "minimumStockFlag": False,
    "poApprovedFlag": True,
    "addComponentsFlag": False,
    "ignorePricingSchedulesFlag": False,
}


class ProductDrafts:
    """The product drafts of the books."""

    def __init__(self, pen: Pen) -> None:
        self._pen = pen
        self._catalog = list(pen.tenant.store[Kind.CATALOG_ITEM])

    def draw(self, scale: Decimal, decimals: int, number: int, *, is_fine: bool) -> Record:
        """Return a product at its price times `scale`, finer than the currency if `is_fine`."""
        item = self._pen.random.choice(self._catalog)
        quantity = Decimal(self._pen.random.randint(1, 6))
        price = rounded(item["price"] * scale, decimals)
        if is_fine:
            price = rounded(price + _HALF_CENT, _FINE_DECIMALS)
        cost = rounded(abs(price) / 2, decimals)
        return _STANDING | {
            "catalogItem": {"id": item["id"], "identifier": item["identifier"]},
            "description": item["description"],
            "customerDescription": item["customerDescription"],
            "productClass": item["productClass"],
            "sequenceNumber": Decimal(number),
            "quantity": quantity,
            "price": price,
            "listPrice": price,
            "cost": cost,
            "extPrice": price * quantity,
            "extCost": cost * quantity,
            "discount": rounded(ZERO, decimals),
            "margin": (price - cost) * quantity,
            "agreementAmount": ZERO,
            "billableOption": "Billable" if scale else "NoCharge",
        }


def cover_half(product: Record, decimals: int) -> Record:
    """Return a product of which an agreement covers half; its price stays the full one."""
    return product | {"agreementAmount": rounded(product["extPrice"] / 2, decimals)}
