import Badge from "@cloudscape-design/components/badge";
import Box from "@cloudscape-design/components/box";
import FormField from "@cloudscape-design/components/form-field";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { TableProps } from "@cloudscape-design/components/table";
import Token from "@cloudscape-design/components/token";
import { type Schemas, useApi } from "../api/client";
import type { operations } from "../api/schema";
import { useAddress } from "../shared/address";
import { useRead } from "../shared/change";
import { ChoiceFilter, DateFilter, TypedFilter } from "../shared/filters";
import { atLeast, calendarDate, count, money, typedAmount } from "../shared/format";
import { ListTable } from "../shared/ListTable";
import { PageLink } from "../shared/links";
import { usePages } from "../shared/pages";
import { InvoiceState, moneyColumn, orNothing } from "../shared/values";
import { WhereIsIt } from "../shared/WhereIsIt";
import { texts } from "../texts";

type Invoice = Schemas["InvoiceView"];

const words = texts.invoices;
const STATES = Object.keys(words.states) as Schemas["InvoiceState"][];
const TYPES = Object.keys(words.types) as Schemas["InvoiceType"][];
const ORIGINS = Object.keys(texts.origins) as Schemas["Origin"][];
const ORDERS = ["due_on", "-due_on"] as const;

export default function Invoices() {
  const api = useApi();
  const { get, set } = useAddress();
  const order = ORDERS.find((each) => each === get("sort"));
  const query = {
    ...typedAmount(get("amount") ?? ""),
    ...(get("currency") && { currency: get("currency") }),
    state: STATES.find((each) => each === get("state")),
    unpaid_only: get("state") === "unpaid" || undefined,
    overdue_only: get("state") === "overdue" || undefined,
    type: TYPES.find((each) => each === get("type")),
    origin: ORIGINS.find((each) => each === get("origin")),
    number: get("number"),
    customer_id: get("customer"),
    due_from: get("due_from"),
    due_to: get("due_to"),
  };
  const isNarrowed = Object.values(query).some((value) => value !== undefined);
  const pages = usePages<Invoice>(["invoices", query, order], (cursor) =>
    api.GET("/v1/invoices", { params: { query: { ...query, sort: order, cursor } } }),
  );
  return (
    <ListTable
      title={words.title}
      about={words.about}
      empty={query.number ? <WhereIsIt key={query.number} number={query.number} /> : words.empty}
      pages={pages}
      columns={columns}
      summary={isNarrowed && <Sums query={query} />}
      filter={<Filters />}
      sorting={{
        sortingColumn: order && { sortingField: DUE },
        sortingDescending: order === "-due_on",
        onSortingChange: ({ detail }) => set({ sort: detail.isDescending ? "-due_on" : "due_on" }),
      }}
    />
  );
}

type Query = NonNullable<operations["listInvoices"]["parameters"]["query"]>;

/** What the whole selection adds up to, however many pages it has. */
function Sums({ query }: { query: Query }) {
  const { data } = useRead(["invoices", "sums", query], (api) =>
    api.GET("/v1/invoices", { params: { query: { ...query, with_sums: true, limit: 1 } } }),
  );
  if (!data?.sums) {
    return null;
  }
  const { by_currency, is_complete } = data.sums;
  return by_currency.map(({ invoice_count, total, balance }) => (
    <Box key={total.currency}>
      {atLeast(count(invoice_count), is_complete)} {words.selected}: {words.total} {money(total)},{" "}
      {words.balance} {money(balance)}
    </Box>
  ));
}

const DUE = "due_on";

const columns: TableProps.ColumnDefinition<Invoice>[] = [
  {
    id: "number",
    header: words.number,
    cell: ({ id, number }) => <PageLink href={`/invoices/${id}`}>{number}</PageLink>,
    isRowHeader: true,
  },
  {
    id: "customer",
    header: words.customer,
    cell: ({ customer_id, customer_name }) => (
      <PageLink href={`/customers/${customer_id}`}>{customer_name}</PageLink>
    ),
  },
  { id: "state", header: words.state, cell: (invoice) => <Stands invoice={invoice} /> },
  moneyColumn("total", words.total, ({ total }) => total),
  moneyColumn("balance", words.balance, ({ balance }) => balance),
  { id: "due", header: words.due, sortingField: DUE, cell: ({ due_on }) => calendarDate(due_on) },
  { id: "issued", header: words.issued, cell: ({ issued_on }) => calendarDate(issued_on) },
  { id: "type", header: words.type, cell: ({ type }) => words.types[type] },
  { id: "status", header: words.status, cell: ({ status }) => orNothing(status?.name) },
];

function Stands({ invoice: { state, is_overdue } }: { invoice: Invoice }) {
  return (
    <SpaceBetween direction="horizontal" size="xs">
      <InvoiceState state={state} />
      {is_overdue && <Badge color="severity-high">{words.overdue}</Badge>}
    </SpaceBetween>
  );
}

const LISTED = { unpaid: words.unpaid, overdue: words.overdue, ...words.states };

function Filters() {
  const { get, set } = useAddress();
  const amount = get("amount");
  const isUnreadable = amount !== undefined && typedAmount(amount) === null;
  return (
    <SpaceBetween size="s">
      <SpaceBetween direction="horizontal" size="s">
        <FormField label={words.number}>
          <TypedFilter name="number" placeholder={words.numberHint} />
        </FormField>
        <FormField label={words.anAmount} errorText={isUnreadable && words.amountHint}>
          <TypedFilter name="amount" placeholder={words.amountExample} />
        </FormField>
        <ChoiceFilter name="state" label={words.state} choices={LISTED} />
        <ChoiceFilter name="type" label={words.type} choices={words.types} />
        <ChoiceFilter name="origin" label={words.origin} choices={texts.origins} />
        <FormField label={words.dueFrom}>
          <DateFilter name="due_from" />
        </FormField>
        <FormField label={words.dueTo}>
          <DateFilter name="due_to" />
        </FormField>
      </SpaceBetween>
      {get("customer") && (
        <Token
          label={words.ofCustomer}
          dismissLabel={texts.common.clear}
          onDismiss={() => set({ customer: "" })}
        />
      )}
    </SpaceBetween>
  );
}
