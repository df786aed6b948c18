import Alert from "@cloudscape-design/components/alert";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useParams } from "wouter";
import type { Schemas } from "../api/client";
import { useRead } from "../shared/change";
import { CustomerName } from "../shared/customers";
import { calendarDate, moment, money } from "../shared/format";
import { Loaded } from "../shared/record";
import { CopiedId, orNothing, PlatformPaymentState } from "../shared/values";
import { WriteBacks } from "../shared/WriteBacks";
import { texts } from "../texts";

type Payment = Schemas["PlatformPaymentDetail"];

const words = texts.platformPayments;

/** One payment of the platform, and how far each of its parts is into ConnectWise. */
export default function OnePlatformPayment() {
  const { id } = useParams<{ id: string }>();
  const query = useRead(["platform-payments", "one", id], (api) =>
    api.GET("/v1/platform-payments/{payment_id}", { params: { path: { payment_id: id } } }),
  );
  return <Loaded query={query}>{(payment) => <Shown payment={payment} />}</Loaded>;
}

function Shown({ payment }: { payment: Payment }) {
  return (
    <SpaceBetween size="l">
      <Header variant="h1">
        {words.payment} {payment.id}
      </Header>
      {payment.unapplied.amount_minor > 0 && (
        <Alert type={payment.is_unapplied_meant ? "info" : "warning"}>
          {words.unapplied}: <span className="figures">{money(payment.unapplied)}</span>.{" "}
          {payment.is_unapplied_meant ? words.unappliedMeant : words.unappliedAbout}
        </Alert>
      )}
      <Container>
        <KeyValuePairs columns={4} items={facts(payment)} />
      </Container>
      <WriteBacks
        title={words.writeBacks}
        parts={payment.write_backs.map((writeBack) => ({
          name: numberOf(payment, writeBack.invoice_id),
          href: `/invoices/${writeBack.invoice_id}`,
          writeBack,
        }))}
      />
    </SpaceBetween>
  );
}

const numberOf = ({ allocations }: Payment, invoice: string) =>
  allocations.find(({ invoice_id }) => invoice_id === invoice)?.invoice_number ??
  texts.payments.open;

function facts(payment: Payment) {
  return [
    { label: words.state, value: <PlatformPaymentState state={payment.state} /> },
    { label: words.amount, value: <span className="figures">{money(payment.amount)}</span> },
    { label: words.fee, value: <span className="figures">{money(payment.fee)}</span> },
    { label: words.customer, value: <CustomerName id={payment.customer_id} /> },
    { label: words.received, value: calendarDate(payment.received_on) },
    { label: words.method, value: payment.method },
    { label: words.recorded, value: moment(payment.recorded_at) },
    { label: words.changed, value: moment(payment.state_changed_at) },
    { label: words.stateReason, value: orNothing(payment.state_reason) },
    { label: words.reference, value: orNothing(payment.reference) },
    { label: texts.common.id, value: <CopiedId id={payment.id} /> },
  ];
}
