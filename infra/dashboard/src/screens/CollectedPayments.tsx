import Alert from "@cloudscape-design/components/alert";
import Checkbox from "@cloudscape-design/components/checkbox";
import FormField from "@cloudscape-design/components/form-field";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { TableProps } from "@cloudscape-design/components/table";
import type { ReactNode } from "react";
import { type Schemas, useApi } from "../api/client";
import { useAddress } from "../shared/address";
import { ConnectionChoice } from "../shared/ConnectionChoice";
import { useRead } from "../shared/change";
import { useChosenConnection } from "../shared/connections";
import { CustomerName } from "../shared/customers";
import { ChoiceFilter, DateFilter } from "../shared/filters";
import { calendarDate, count, moment, money } from "../shared/format";
import { ListTable } from "../shared/ListTable";
import { PageLink } from "../shared/links";
import { usePages } from "../shared/pages";
import { moneyColumn, PlatformPaymentState } from "../shared/values";
import { texts } from "../texts";

type Payment = Schemas["PlatformPaymentView"];

const words = texts.platformPayments;
const STATES = Object.keys(words.states) as Schemas["PlatformPaymentState"][];

/** What the platform collected, with the money that no invoice gets summed up above it. */
export function CollectedPayments({ choice }: { choice: ReactNode }) {
  const api = useApi();
  const { get, set } = useAddress();
  const { all, chosen } = useChosenConnection();
  const query = {
    connection_id: get("connection"),
    customer_id: get("customer"),
    invoice_id: get("invoice"),
    state: STATES.find((state) => state === get("state")),
    received_from: get("received_from"),
    received_to: get("received_to"),
    unapplied_only: get("unapplied") === "true",
  };
  const pages = usePages<Payment>(["platform-payments", query], (cursor) =>
    api.GET("/v1/platform-payments", { params: { query: { ...query, cursor } } }),
  );
  return (
    <ListTable
      title={texts.payments.title}
      about={words.about}
      empty={words.empty}
      pages={pages}
      columns={columns}
      summary={chosen && <Unapplied connection={chosen.id} />}
      filter={
        <SpaceBetween direction="horizontal" size="s" alignItems="end">
          {choice}
          <ConnectionChoice all={all} chosen={chosen} />
          <ChoiceFilter name="state" label={words.state} choices={words.states} />
          <FormField label={words.from}>
            <DateFilter name="received_from" />
          </FormField>
          <FormField label={words.to}>
            <DateFilter name="received_to" />
          </FormField>
          <Checkbox
            checked={query.unapplied_only}
            onChange={({ detail }) => set({ unapplied: detail.checked ? "true" : "" })}
          >
            {words.unappliedOnly}
          </Checkbox>
        </SpaceBetween>
      }
    />
  );
}

const columns: TableProps.ColumnDefinition<Payment>[] = [
  {
    id: "id",
    header: words.payment,
    cell: ({ id }) => <PageLink href={`/payments/${id}`}>{id}</PageLink>,
    isRowHeader: true,
  },
  {
    id: "customer",
    header: words.customer,
    cell: ({ customer_id, customer_name }) => (
      <PageLink href={`/customers/${customer_id}`}>{customer_name}</PageLink>
    ),
  },
  { id: "received", header: words.received, cell: ({ received_on }) => calendarDate(received_on) },
  { id: "state", header: words.state, cell: ({ state }) => <PlatformPaymentState state={state} /> },
  { id: "method", header: words.method, cell: ({ method }) => method },
  moneyColumn("amount", words.amount, ({ amount }) => amount),
  moneyColumn("unapplied", words.unapplied, ({ unapplied }) => unapplied),
  { id: "recorded", header: words.recorded, cell: ({ recorded_at }) => moment(recorded_at) },
];

/** Money that lies outside every invoice, by customer and currency. */
function Unapplied({ connection }: { connection: string }) {
  const { data } = useRead(["unapplied", connection], (api) =>
    api.GET("/v1/connections/{connection_id}/platform-payments/unapplied", {
      params: { path: { connection_id: connection } },
    }),
  );
  if (!data || data.sums.length === 0) {
    return null;
  }
  return (
    <Alert type="warning" header={data.is_complete ? words.sums : words.sumsMoreThan}>
      <ul>
        {data.sums.map(({ customer_id, amount, payment_count }) => (
          <li key={`${customer_id} ${amount.currency}`}>
            <CustomerName id={customer_id} />: <span className="figures">{money(amount)}</span> (
            {words.payments} {count(payment_count)})
          </li>
        ))}
      </ul>
    </Alert>
  );
}
