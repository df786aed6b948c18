"""What keeps payments out for a while: rights, rows, an admin. All of it heals."""

from __future__ import annotations

from bridge.domain.connection import ConnectionState
from bridge.domain.run import RunKind, RunState
from connectwise_sandbox.kinds import Kind
from connectwise_sandbox.permissions import Action, Rows
from connectwise_sandbox.tenant import Corruption
from tests.simulation.troubles import Trouble
from tests.simulation.world import CONNECTION_ID, World


class RightsToPayRevoked(Trouble):
    """The API member may still read, but not add, change or delete."""

    name = "right to pay revoked"
    _CELLS = (
        (Rows.ACCOUNTING_INTERFACE, Action.ADD),
        (Rows.ACCOUNTING_INTERFACE, Action.DELETE),
        (Rows.ACCOUNTING_INTERFACE, Action.INQUIRE),
        (Rows.INVOICING, Action.EDIT),
    )

    def __init__(self, *, hours_between: float, longest_hours: float) -> None:
        super().__init__(hours_between=hours_between, longest_hours=longest_hours)
        self._cell = self._CELLS[0]

    def begin(self, world: World) -> str:
        self._cell = world.random.choice(self._CELLS)
        row, action = self._cell
        world.engine.tenant.role.set_cell(*row, action, "None")
        return f"{action.value} of {row.name}"

    def end(self, world: World) -> str:
        row, action = self._cell
        world.engine.tenant.role.set_cell(*row, action, "All")
        return f"{action.value} of {row.name} granted"


class CorruptPayments(Trouble):
    """Some payments cannot be read."""

    name = "corrupt payments"

    def begin(self, world: World) -> str:
        tenant = world.engine.tenant
        rows = list(tenant.store[Kind.PAYMENT])
        if not rows:
            return "none"
        row = world.random.choice(rows)
        tenant.corruptions[Kind.PAYMENT, row["id"]] = Corruption(None, {"amount": "abc"})
        return str(row["id"])

    def end(self, world: World) -> str:
        world.engine.tenant.corruptions.clear()
        return "healed"


class Disconnected(Trouble):
    """The partner's admin disconnects for a while; what was collected goes on waiting."""

    name = "disconnected"

    def begin(self, world: World) -> str:
        """A connection that was never up is not taken down: connecting again would import."""
        page = world.outside.runs.list_of_connection(CONNECTION_ID, limit=1000)
        is_imported = any(
            run.kind is RunKind.IMPORT and run.state is RunState.SUCCEEDED for run in page.items
        )
        if world.connection.state is not ConnectionState.ACTIVE or not is_imported:
            return "not yet"
        return self._put(world, ConnectionState.DISCONNECTED)

    def end(self, world: World) -> str:
        if world.connection.state is not ConnectionState.DISCONNECTED:
            return "not yet"
        return self._put(world, ConnectionState.ACTIVE)

    def _put(self, world: World, state: ConnectionState) -> str:
        stored = world.outside.connections.get(CONNECTION_ID)
        assert stored.value is not None
        moved = stored.value.moved_to(state)
        world.outside.connections.save(moved, expected_version=stored.version)
        return state.value
