import Checkbox from "@cloudscape-design/components/checkbox";
import FormField from "@cloudscape-design/components/form-field";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { TableProps } from "@cloudscape-design/components/table";
import { type Schemas, useApi } from "../api/client";
import { useAddress } from "../shared/address";
import { TypedFilter } from "../shared/filters";
import { ListTable } from "../shared/ListTable";
import { PageLink } from "../shared/links";
import { usePages } from "../shared/pages";
import { orNothing } from "../shared/values";
import { texts } from "../texts";

type Customer = Schemas["CustomerView"];

const words = texts.customers;

export default function Customers() {
  const api = useApi();
  const { get, set } = useAddress();
  const archived = get("archived") === "true";
  const query = { name: get("name"), archived };
  const pages = usePages<Customer>(["customers", query], (cursor) =>
    api.GET("/v1/customers", { params: { query: { ...query, cursor } } }),
  );
  return (
    <ListTable
      title={words.title}
      empty={words.empty}
      pages={pages}
      columns={columns}
      filter={
        <SpaceBetween direction="horizontal" size="s" alignItems="end">
          <FormField label={words.name}>
            <TypedFilter name="name" placeholder={words.nameHint} />
          </FormField>
          <Checkbox
            checked={archived}
            onChange={({ detail }) => set({ archived: detail.checked ? "true" : "" })}
          >
            {words.archived}
          </Checkbox>
        </SpaceBetween>
      }
    />
  );
}

const columns: TableProps.ColumnDefinition<Customer>[] = [
  {
    id: "name",
    header: words.name,
    cell: ({ id, name }) => <PageLink href={`/customers/${id}`}>{name}</PageLink>,
    isRowHeader: true,
  },
  {
    id: "identifier",
    header: words.identifier,
    cell: ({ identifier }) => orNothing(identifier),
  },
  { id: "emails", header: words.emails, cell: ({ emails }) => orNothing(emails.join(", ")) },
  { id: "status", header: words.status, cell: ({ status }) => orNothing(status?.name) },
  {
    id: "invoices",
    header: words.invoices,
    cell: ({ id, name }) => (
      <PageLink href={`/invoices?customer=${id}`} ariaLabel={`${words.invoices}: ${name}`}>
        {words.invoices}
      </PageLink>
    ),
  },
];
