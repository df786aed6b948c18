import Checkbox from "@cloudscape-design/components/checkbox";
import FormField from "@cloudscape-design/components/form-field";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { TableProps } from "@cloudscape-design/components/table";
import type { ReactNode } from "react";
import { type Schemas, useApi } from "../api/client";
import { useAddress } from "../shared/address";
import { DateFilter } from "../shared/filters";
import { calendarDate } from "../shared/format";
import { ListTable } from "../shared/ListTable";
import { PageLink } from "../shared/links";
import { usePages } from "../shared/pages";
import { moneyColumn, PaymentOrigin, PaymentStands } from "../shared/values";
import { texts } from "../texts";

type Payment = Schemas["PsaPaymentView"];

const words = texts.payments;

/** What stands on the invoices in ConnectWise, whoever entered it. */
export function BookedPayments({ choice }: { choice: ReactNode }) {
  const api = useApi();
  const { get, set } = useAddress();
  const query = {
    paid_from: get("paid_from"),
    paid_to: get("paid_to"),
    with_deleted: get("deleted") === "true",
  };
  const pages = usePages<Payment>(["payments", query], (cursor) =>
    api.GET("/v1/payments", { params: { query: { ...query, cursor } } }),
  );
  return (
    <ListTable
      title={words.title}
      about={words.about}
      empty={words.empty}
      pages={pages}
      columns={columns}
      filter={
        <SpaceBetween direction="horizontal" size="s" alignItems="end">
          {choice}
          <FormField label={words.from}>
            <DateFilter name="paid_from" />
          </FormField>
          <FormField label={words.to}>
            <DateFilter name="paid_to" />
          </FormField>
          <Checkbox
            checked={query.with_deleted}
            onChange={({ detail }) => set({ deleted: detail.checked ? "true" : "" })}
          >
            {words.withDeleted}
          </Checkbox>
        </SpaceBetween>
      }
    />
  );
}

const columns: TableProps.ColumnDefinition<Payment>[] = [
  {
    id: "date",
    header: words.date,
    cell: ({ paid_on }) => calendarDate(paid_on),
    isRowHeader: true,
  },
  {
    id: "invoice",
    header: words.invoice,
    cell: ({ invoice_id, invoice_number }) => (
      <PageLink href={`/invoices/${invoice_id}`}>{invoice_number ?? words.open}</PageLink>
    ),
  },
  {
    id: "customer",
    header: texts.invoices.customer,
    cell: ({ customer_id, customer_name }) => (
      <PageLink href={`/customers/${customer_id}`}>{customer_name}</PageLink>
    ),
  },
  { id: "kind", header: words.kind, cell: ({ kind }) => words.kinds[kind] },
  { id: "origin", header: words.origin, cell: (payment) => <PaymentOrigin payment={payment} /> },
  {
    id: "state",
    header: words.state,
    cell: ({ is_deleted }) => <PaymentStands isDeleted={is_deleted} />,
  },
  moneyColumn("amount", words.amount, ({ amount }) => amount),
];
