import StatusIndicator from "@cloudscape-design/components/status-indicator";
import Table from "@cloudscape-design/components/table";
import type { Schemas } from "../api/client";
import { texts } from "../texts";

type Finding = Schemas["Finding"];
/** A cell of ConnectWise's security matrix; the finding says whether ConnectWise grants it. */
export type Right = Schemas["RightView"] & { finding?: Finding };
type Row = { module: string; row: string; cells: Record<string, Finding | undefined> };

const words = texts.rights;
const LEVELS = ["Add", "Edit", "Delete", "Inquire"] as const;
const LOOKS = { granted: "success", missing: "error", unproven: "pending" } as const;

/** The rows of ConnectWise's security matrix: what to grant, and what is granted as far as known. */
export function RightsTable({ rights }: { rights: Right[] }) {
  return (
    <Table<Row>
      variant="container"
      items={matrix(rights)}
      trackBy={({ module, row }) => `${module} ${row}`}
      columnDefinitions={[
        { id: "module", header: words.module, cell: ({ module }) => module },
        { id: "row", header: words.row, cell: ({ row }) => row, isRowHeader: true },
        ...LEVELS.map((level) => ({
          id: level,
          header: level,
          cell: ({ cells }: Row) => (level in cells ? <Cell finding={cells[level]} /> : words.none),
        })),
      ]}
    />
  );
}

function Cell({ finding }: { finding?: Finding }) {
  return finding ? (
    <StatusIndicator type={LOOKS[finding]}>
      {words.all}: {words.findings[finding]}
    </StatusIndicator>
  ) : (
    words.all
  );
}

export function matrix(rights: Right[]): Row[] {
  const rows = new Map<string, Row>();
  for (const { module, row, column, finding } of rights) {
    const name = `${module} ${row}`;
    const known = rows.get(name) ?? { module, row, cells: {} };
    rows.set(name, { ...known, cells: { ...known.cells, [column]: finding } });
  }
  return [...rows.values()];
}

/** The rights to grant, with those marked that ConnectWise was found to lack. */
export function checked(rights: Right[], missing: readonly unknown[]): Right[] {
  return rights.map((right) => {
    const isMissing = missing.includes(`${right.module} > ${right.row}: ${right.column}`);
    return { ...right, finding: isMissing ? "missing" : "granted" };
  });
}
