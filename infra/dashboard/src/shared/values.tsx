import Box from "@cloudscape-design/components/box";
import CopyToClipboard from "@cloudscape-design/components/copy-to-clipboard";
import StatusIndicator, {
  type StatusIndicatorProps,
} from "@cloudscape-design/components/status-indicator";
import type { TableProps } from "@cloudscape-design/components/table";
import type { Amount, Schemas } from "../api/client";
import { texts } from "../texts";
import { money, NOTHING } from "./format";
import { PageLink } from "./links";

type Look = StatusIndicatorProps.Type;

/** An amount that stands under others: right-aligned, each digit as wide as the next. */
export function Money({ amount }: { amount: Amount }) {
  return (
    <Box textAlign="right">
      <span className="figures">{money(amount)}</span>
    </Box>
  );
}

/** A column of amounts, each under the other. */
export function moneyColumn<T>(
  id: string,
  title: string,
  amountOf: (item: T) => Amount,
): TableProps.ColumnDefinition<T> {
  return {
    id,
    header: <MoneyHead>{title}</MoneyHead>,
    cell: (item) => <Money amount={amountOf(item)} />,
  };
}

/** The head of a column of figures, aligned like them. */
export function MoneyHead({ children }: { children: string }) {
  return (
    <Box textAlign="right" fontWeight="bold" color="inherit">
      {children}
    </Box>
  );
}

export function CopiedId({ id }: { id: string }) {
  return (
    <CopyToClipboard
      variant="inline"
      textToCopy={id}
      copyButtonAriaLabel={`${texts.common.copy} ${texts.common.id}`}
      copySuccessText={texts.common.copied}
      copyErrorText={texts.common.copyFailed}
    />
  );
}

export const orNothing = (text: string | number | null | undefined) =>
  text === null || text === undefined || text === "" ? NOTHING : text;

const INVOICE_LOOKS: Record<Schemas["InvoiceState"], Look> = {
  open: "pending",
  partially_paid: "in-progress",
  paid: "success",
  archived: "stopped",
};
const CONNECTION_LOOKS: Record<Schemas["ConnectionState"], Look> = {
  verifying: "in-progress",
  importing: "in-progress",
  active: "success",
  degraded: "warning",
  disconnected: "stopped",
};
const PLATFORM_PAYMENT_LOOKS: Record<Schemas["PlatformPaymentState"], Look> = {
  pending: "pending",
  settled: "success",
  failed: "error",
  returned: "warning",
  refunded: "stopped",
  charged_back: "warning",
  voided: "stopped",
};
const WRITE_BACK_LOOKS: Record<Schemas["WriteBackState"], Look> = {
  pending: "pending",
  posting: "in-progress",
  unclear: "in-progress",
  confirmed: "success",
  rejected: "error",
  manual: "warning",
  reversing: "in-progress",
  reversed: "stopped",
  cancelled: "stopped",
  done_by_hand: "success",
  reversed_by_hand: "stopped",
};
const RUN_LOOKS: Record<Schemas["RunState"], Look> = {
  queued: "pending",
  running: "in-progress",
  succeeded: "success",
  failed: "error",
  cancelled: "stopped",
};

export function InvoiceState({ state }: { state: Schemas["InvoiceState"] }) {
  const text = texts.invoices.states[state];
  return <StatusIndicator type={INVOICE_LOOKS[state]}>{text}</StatusIndicator>;
}

export function ConnectionState({ state }: { state: Schemas["ConnectionState"] }) {
  const text = texts.connections.states[state];
  return <StatusIndicator type={CONNECTION_LOOKS[state]}>{text}</StatusIndicator>;
}

export function RunState({ state }: { state: Schemas["RunState"] }) {
  return <StatusIndicator type={RUN_LOOKS[state]}>{texts.runs.states[state]}</StatusIndicator>;
}

export function PlatformPaymentState({ state }: { state: Schemas["PlatformPaymentState"] }) {
  const text = texts.platformPayments.states[state];
  return <StatusIndicator type={PLATFORM_PAYMENT_LOOKS[state]}>{text}</StatusIndicator>;
}

export function WriteBackState({ state }: { state: Schemas["WriteBackState"] }) {
  const text = texts.platformPayments.writeBackStates[state];
  return <StatusIndicator type={WRITE_BACK_LOOKS[state]}>{text}</StatusIndicator>;
}

export function ProblemState({ state }: { state: Schemas["ProblemState"] }) {
  const look = state === "open" ? "warning" : "success";
  return <StatusIndicator type={look}>{texts.problems.states[state]}</StatusIndicator>;
}

export function PaymentStands({ isDeleted }: { isDeleted: boolean }) {
  return isDeleted ? (
    <StatusIndicator type="stopped">{texts.payments.deleted}</StatusIndicator>
  ) : (
    <StatusIndicator type="success">{texts.payments.stands}</StatusIndicator>
  );
}

/** Where a payment was made; one that the platform collected leads to what became of it. */
export function PaymentOrigin({ payment }: { payment: Schemas["PsaPaymentView"] }) {
  const made = texts.origins[payment.origin];
  const id = payment.platform_payment_id;
  return id ? <PageLink href={`/payments/${id}`}>{made}</PageLink> : made;
}
