import Alert from "@cloudscape-design/components/alert";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import { useParams } from "wouter";
import { type Api, ApiError, contentOf, type Schemas } from "../api/client";
import { useChange, useRead } from "../shared/change";
import { CustomerName } from "../shared/customers";
import { calendarDate, money } from "../shared/format";
import { Loaded } from "../shared/record";
import {
  CopiedId,
  InvoiceState,
  MoneyHead,
  moneyColumn,
  orNothing,
  PaymentOrigin,
  PaymentStands,
} from "../shared/values";
import { texts } from "../texts";
import { Standing } from "./Standing";

type Invoice = Schemas["InvoiceDetail"];

const words = texts.invoices;

export default function OneInvoice() {
  const { id } = useParams<{ id: string }>();
  const query = useRead(["invoices", "one", id], (api) =>
    api.GET("/v1/invoices/{invoice_id}", { params: { path: { invoice_id: id } } }),
  );
  return <Loaded query={query}>{(invoice) => <Shown invoice={invoice} />}</Loaded>;
}

function Shown({ invoice }: { invoice: Invoice }) {
  return (
    <SpaceBetween size="l">
      <Header variant="h1" actions={invoice.pdf && <PdfButton id={invoice.id} />}>
        {words.number} {invoice.number}
      </Header>
      {invoice.outside_filters && (
        <Alert type="info" header={words.outside}>
          {words.outsideAbout}
        </Alert>
      )}
      {!invoice.payments_complete && <Alert type="info">{words.paymentsIncomplete}</Alert>}
      <Container>
        <KeyValuePairs columns={4} items={facts(invoice)} />
      </Container>
      <Standing invoice={invoice.id} isMirrored={invoice.origin === "connectwise"} />
      <Lines invoice={invoice} />
      <Payments invoice={invoice} />
    </SpaceBetween>
  );
}

function facts(invoice: Invoice) {
  const amounts = ["total", "balance", "paid", "credited", "subtotal", "tax"] as const;
  return [
    { label: words.state, value: <InvoiceState state={invoice.state} /> },
    { label: words.status, value: orNothing(invoice.status?.name) },
    { label: words.customer, value: <CustomerName id={invoice.customer_id} /> },
    { label: words.type, value: words.types[invoice.type] },
    { label: words.issued, value: calendarDate(invoice.issued_on) },
    { label: words.due, value: calendarDate(invoice.due_on) },
    ...amounts.map((name) => ({
      label: words[name],
      value: <span className="figures">{money(invoice[name])}</span>,
    })),
    { label: words.terms, value: orNothing(invoice.billing_terms?.name) },
    { label: words.agreement, value: orNothing(invoice.agreement?.name) },
    { label: words.reference, value: orNothing(invoice.reference) },
    { label: words.purchaseOrder, value: orNothing(invoice.purchase_order) },
    { label: words.origin, value: texts.origins[invoice.origin] },
    { label: texts.common.id, value: <CopiedId id={invoice.id} /> },
  ];
}

function Lines({ invoice }: { invoice: Invoice }) {
  return (
    <Table
      header={<Header variant="h2">{words.lines}</Header>}
      items={invoice.line_items}
      empty={words.noLines}
      enableKeyboardNavigation
      columnDefinitions={[
        {
          id: "description",
          header: words.description,
          cell: ({ description }) => orNothing(description),
          isRowHeader: true,
        },
        { id: "kind", header: words.type, cell: ({ kind }) => words.lineKinds[kind] },
        {
          id: "quantity",
          header: <MoneyHead>{words.quantity}</MoneyHead>,
          cell: ({ quantity }) => <Figures text={quantity} />,
        },
        {
          id: "price",
          header: <MoneyHead>{words.unitPrice}</MoneyHead>,
          cell: ({ unit_price }) => <Figures text={unit_price} />,
        },
        moneyColumn<Schemas["LineItemView"]>("amount", words.amount, ({ amount }) => amount),
      ]}
    />
  );
}

function Figures({ text }: { text: string | null }) {
  return <div className="figures end">{orNothing(text)}</div>;
}

function Payments({ invoice }: { invoice: Invoice }) {
  return (
    <Table
      header={<Header variant="h2">{words.payments}</Header>}
      items={invoice.payments}
      trackBy="id"
      empty={words.noPayments}
      enableKeyboardNavigation
      columnDefinitions={[
        {
          id: "date",
          header: texts.payments.date,
          cell: ({ paid_on }) => calendarDate(paid_on),
          isRowHeader: true,
        },
        { id: "kind", header: texts.payments.kind, cell: ({ kind }) => texts.payments.kinds[kind] },
        {
          id: "origin",
          header: texts.payments.origin,
          cell: (payment) => <PaymentOrigin payment={payment} />,
        },
        {
          id: "state",
          header: texts.payments.state,
          cell: ({ is_deleted }) => <PaymentStands isDeleted={is_deleted} />,
        },
        moneyColumn<Schemas["PsaPaymentView"]>(
          "amount",
          texts.payments.amount,
          ({ amount }) => amount,
        ),
      ]}
    />
  );
}

const PDF_TRIES = 10;
const PDF_PAUSE_MILLISECONDS = 3000;

function PdfButton({ id }: { id: string }) {
  const open = useChange((api) => pdfUrl(api, id), { after: (url) => location.assign(url) });
  return (
    <Button
      iconName="download"
      loading={open.isPending}
      loadingText={words.pdfPending}
      onClick={() => open.mutate()}
    >
      {words.pdf}
    </Button>
  );
}

/** Ask for the PDF until ConnectWise has given it. */
async function pdfUrl(api: Api, id: string): Promise<string> {
  for (let attempt = 0; attempt < PDF_TRIES; attempt++) {
    const link = await contentOf(
      api.GET("/v1/invoices/{invoice_id}/pdf", { params: { path: { invoice_id: id } } }),
    );
    if ("url" in link) {
      return link.url;
    }
    await new Promise((wake) => setTimeout(wake, PDF_PAUSE_MILLISECONDS));
  }
  throw new ApiError(words.pdfLate, 0);
}
