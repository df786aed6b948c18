import Box from "@cloudscape-design/components/box";
import CopyToClipboard from "@cloudscape-design/components/copy-to-clipboard";
import StatusIndicator, {
  type StatusIndicatorProps,
} from "@cloudscape-design/components/status-indicator";
import type { Amount, Schemas } from "../api/client";
import { texts } from "../texts";
import { money, NOTHING } from "./format";

type Look = StatusIndicatorProps.Type;

/** An amount that stands under others: right-aligned, each digit as wide as the next. */
export function Money({ amount }: { amount: Amount }) {
  return (
    <Box textAlign="right">
      <span className="figures">{money(amount)}</span>
    </Box>
  );
}

/** A column of amounts, its head aligned like its figures. */
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
