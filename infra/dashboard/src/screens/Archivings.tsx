import Header from "@cloudscape-design/components/header";
import Table from "@cloudscape-design/components/table";
import { contentOf, type Schemas } from "../api/client";
import { AskedButton } from "../shared/AskedButton";
import { useChange, useRead } from "../shared/change";
import { count, moment } from "../shared/format";
import { type Archived, addedArchived, allParts } from "../shared/parts";
import { Loaded } from "../shared/record";
import { texts } from "../texts";

const words = texts.archivings;

/** What filters took out of the open view, each of which can be brought back as a whole. */
export function Archivings({ connection }: { connection: string }) {
  const path = { connection_id: connection };
  const query = useRead(["archivings", connection], (api) =>
    api.GET("/v1/connections/{connection_id}/archivings", { params: { path } }),
  );
  const archive = useChange(
    (api, _: undefined) =>
      allParts(
        (cursor) =>
          contentOf(
            api.POST("/v1/connections/{connection_id}/filters/archive-left", {
              params: { path, query: { cursor } },
            }),
          ),
        addedArchived,
      ),
    { told: (counts) => `${words.archived} ${told(counts)}` },
  );
  const undo = useChange(
    (api, undo_id: string) =>
      allParts(
        (cursor) =>
          contentOf(
            api.POST("/v1/connections/{connection_id}/filters/undo-archive", {
              params: { path, query: { cursor } },
              body: { undo_id },
            }),
          ),
        addedArchived,
      ),
    { told: (counts) => `${words.broughtBack} ${told(counts)}` },
  );
  return (
    <Loaded query={query}>
      {({ items }) => (
        <Table
          header={
            <Header
              variant="h2"
              description={words.about}
              actions={
                <AskedButton
                  label={words.archive}
                  question={words.archiveQuestion}
                  loading={archive.isPending}
                  onConfirm={() => archive.mutate(undefined)}
                />
              }
            >
              {words.title}
            </Header>
          }
          items={items}
          trackBy="undo_id"
          empty={words.empty}
          enableKeyboardNavigation
          columnDefinitions={[
            { id: "at", header: words.at, cell: ({ at }) => moment(at), isRowHeader: true },
            {
              id: "customers",
              header: texts.filters.customers,
              cell: ({ customer_count }) => count(customer_count),
            },
            {
              id: "invoices",
              header: texts.filters.invoices,
              cell: ({ invoice_count }) => count(invoice_count),
            },
            {
              id: "undo",
              header: words.undo,
              cell: (archiving) =>
                archiving.may_be_undone ? (
                  <AskedButton
                    variant="inline-link"
                    label={words.undo}
                    question={question(archiving)}
                    loading={undo.isPending && undo.variables === archiving.undo_id}
                    onConfirm={() => undo.mutate(archiving.undo_id)}
                  />
                ) : (
                  `${words.undone} ${moment(archiving.undone_at)}`
                ),
            },
          ]}
        />
      )}
    </Loaded>
  );
}

function question(archiving: Schemas["NotedArchivingView"]): string {
  return `${words.undoQuestion} ${moment(archiving.at)}: ${told(archiving)}`;
}

function told(counts: Pick<Archived, "customer_count" | "invoice_count"> & Partial<Archived>) {
  const parts = [
    `${count(counts.customer_count)} ${texts.filters.customers}`,
    `${count(counts.invoice_count)} ${texts.filters.invoices}`,
  ];
  if (counts.contested_count) {
    parts.push(`${count(counts.contested_count)} ${words.contested}`);
  }
  return `${parts.join(", ")}.`;
}
