import FormField from "@cloudscape-design/components/form-field";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { TableProps } from "@cloudscape-design/components/table";
import Token from "@cloudscape-design/components/token";
import { type Schemas, useApi } from "../api/client";
import { useAddress } from "../shared/address";
import { DateFilter, TypedFilter } from "../shared/filters";
import { calendarDate } from "../shared/format";
import { ListTable } from "../shared/ListTable";
import { PageLink } from "../shared/links";
import { usePages } from "../shared/pages";
import { InvoiceState, Money, MoneyHead, orNothing } from "../shared/values";
import { WhereIsIt } from "../shared/WhereIsIt";
import { texts } from "../texts";

type Invoice = Schemas["InvoiceView"];

const words = texts.invoices;
const STATES = Object.keys(words.states) as Schemas["InvoiceState"][];

export default function Invoices() {
  const api = useApi();
  const { get } = useAddress();
  const query = {
    state: STATES.find((state) => state === get("state")),
    number: get("number"),
    customer_id: get("customer"),
    due_from: get("due_from"),
    due_to: get("due_to"),
  };
  const pages = usePages<Invoice>(["invoices", query], (cursor) =>
    api.GET("/v1/invoices", { params: { query: { ...query, cursor } } }),
  );
  return (
    <ListTable
      title={words.title}
      about={words.about}
      empty={query.number ? <WhereIsIt key={query.number} number={query.number} /> : words.empty}
      pages={pages}
      columns={columns}
      filter={<Filters />}
    />
  );
}

const columns: TableProps.ColumnDefinition<Invoice>[] = [
  {
    id: "number",
    header: words.number,
    cell: ({ id, number }) => <PageLink href={`/invoices/${id}`}>{number}</PageLink>,
    isRowHeader: true,
  },
  { id: "state", header: words.state, cell: ({ state }) => <InvoiceState state={state} /> },
  {
    id: "total",
    header: <MoneyHead>{words.total}</MoneyHead>,
    cell: ({ total }) => <Money amount={total} />,
  },
  {
    id: "balance",
    header: <MoneyHead>{words.balance}</MoneyHead>,
    cell: ({ balance }) => <Money amount={balance} />,
  },
  { id: "due", header: words.due, cell: ({ due_on }) => calendarDate(due_on) },
  { id: "issued", header: words.issued, cell: ({ issued_on }) => calendarDate(issued_on) },
  { id: "type", header: words.type, cell: ({ type }) => words.types[type] },
  { id: "status", header: words.status, cell: ({ status }) => orNothing(status?.name) },
];

function Filters() {
  const { get, set } = useAddress();
  const state = STATES.find((each) => each === get("state"));
  const all = { value: "", label: texts.common.all };
  const options = [all, ...STATES.map((value) => ({ value, label: words.states[value] }))];
  return (
    <SpaceBetween size="s">
      <SpaceBetween direction="horizontal" size="s">
        <FormField label={words.number}>
          <TypedFilter name="number" placeholder={words.numberHint} />
        </FormField>
        <FormField label={words.state}>
          <Select
            selectedOption={options.find(({ value }) => value === (state ?? "")) ?? all}
            options={options}
            onChange={({ detail }) => set({ state: detail.selectedOption.value })}
          />
        </FormField>
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
