import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import RadioGroup from "@cloudscape-design/components/radio-group";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import { useState } from "react";
import { useParams } from "wouter";
import { contentOf, type Schemas } from "../api/client";
import { useChange, useRead } from "../shared/change";
import { calendarDate, count, moment, money } from "../shared/format";
import { PageLink } from "../shared/links";
import { Panel } from "../shared/Panel";
import { Loaded } from "../shared/record";
import { CopiedId, Money, MoneyHead, orNothing, ProblemState } from "../shared/values";
import { texts } from "../texts";

type Problem = Schemas["ProblemView"];
type Choice = Schemas["ActionInput"];

const words = texts.problems;

export default function OneProblem() {
  const { id } = useParams<{ id: string }>();
  const query = useRead(["problems", "one", id], (api) =>
    api.GET("/v1/problems/{problem_id}", { params: { path: { problem_id: id } } }),
  );
  return <Loaded query={query}>{(problem) => <Shown problem={problem} />}</Loaded>;
}

function Shown({ problem }: { problem: Problem }) {
  const [chosen, setChosen] = useState<number | null>(null);
  return (
    <SpaceBetween size="l">
      <Header variant="h1" description={problem.detail}>
        {problem.title}
      </Header>
      <Container>
        <KeyValuePairs columns={3} items={facts(problem)} />
      </Container>
      {problem.payments.length > 0 && (
        <ShownPayments problem={problem} chosen={chosen} onChoose={setChosen} />
      )}
      <Actions key={problem.state} problem={problem} payment={chosen} />
    </SpaceBetween>
  );
}

function facts(problem: Problem) {
  const { record_id, payment_id, resolved_at, refusal } = problem;
  return [
    { label: words.state, value: <ProblemState state={problem.state} /> },
    { label: words.opened, value: moment(problem.opened_at) },
    resolved_at
      ? { label: words.resolved, value: moment(resolved_at) }
      : { label: words.lastSeen, value: moment(problem.last_seen_at) },
    ...(problem.amount ? [{ label: words.amount, value: money(problem.amount) }] : []),
    { label: words.seen, value: count(problem.times_seen) },
    { label: words.record, value: record_id ? <RecordLink problem={problem} /> : orNothing(null) },
    ...(payment_id ? [{ label: words.payment, value: <PaymentLink id={payment_id} /> }] : []),
    ...(refusal ? [{ label: words.refusal, value: refusal }] : []),
    { label: texts.common.id, value: <CopiedId id={problem.id} /> },
  ];
}

/** A problem of a customer says so by its subject; all other records are invoices. */
function RecordLink({ problem }: { problem: Problem }) {
  const screen = problem.subject.startsWith("customer/") ? "customers" : "invoices";
  return <PageLink href={`/${screen}/${problem.record_id}`}>{words.openRecord}</PageLink>;
}

function PaymentLink({ id }: { id: string }) {
  return <PageLink href={`/payments/${id}`}>{words.openPayment}</PageLink>;
}

function ShownPayments(props: {
  problem: Problem;
  chosen: number | null;
  onChoose: (id: number | null) => void;
}) {
  const { payments } = props.problem;
  const selected = payments.filter(
    ({ connectwise_payment_id }) => connectwise_payment_id === props.chosen,
  );
  return (
    <Table
      header={
        <Header variant="h2" description={words.choose}>
          {words.shown}
        </Header>
      }
      items={payments}
      trackBy={({ connectwise_payment_id }) => String(connectwise_payment_id)}
      selectionType="single"
      selectedItems={selected}
      onSelectionChange={({ detail }) =>
        props.onChoose(detail.selectedItems[0]?.connectwise_payment_id ?? null)
      }
      ariaLabels={{
        selectionGroupLabel: words.choose,
        itemSelectionLabel: (_, { connectwise_payment_id }) =>
          `${words.connectwisePayment} ${connectwise_payment_id}`,
      }}
      columnDefinitions={[
        {
          id: "id",
          header: words.connectwisePayment,
          cell: ({ connectwise_payment_id }) => connectwise_payment_id,
          isRowHeader: true,
        },
        { id: "date", header: words.paidOn, cell: ({ paid_on }) => calendarDate(paid_on) },
        { id: "by", header: words.appliedBy, cell: ({ applied_by }) => orNothing(applied_by) },
        {
          id: "amount",
          header: <MoneyHead>{words.amount}</MoneyHead>,
          cell: ({ amount, amount_minor }) => (amount ? <Money amount={amount} /> : amount_minor),
        },
      ]}
    />
  );
}

function Actions({ problem, payment }: { problem: Problem; payment: number | null }) {
  const [action, setAction] = useState<Choice["action"] | null>(null);
  const [reference, setReference] = useState("");
  const act = useAction(problem.id);
  const confirm = () =>
    action &&
    act.mutate({
      action,
      ...(payment !== null && { connectwise_payment_id: payment }),
      ...(reference && { reference }),
    });
  return (
    <Panel title={words.actions}>
      {problem.actions.length === 0 ? (
        <Box>{words.noActions}</Box>
      ) : (
        <SpaceBetween size="m">
          <RadioGroup
            ariaLabel={words.actions}
            value={action}
            items={problem.actions.map((value) => ({
              value,
              label: words.actionNames[value],
              description: words.actionMeanings[value],
            }))}
            onChange={({ detail }) => setAction(detail.value as Choice["action"])}
          />
          {action === "reverse_in_books" && (
            <FormField label={words.reference}>
              <Input value={reference} onChange={({ detail }) => setReference(detail.value)} />
            </FormField>
          )}
          <Button variant="primary" disabled={!action} loading={act.isPending} onClick={confirm}>
            {words.confirm}
          </Button>
        </SpaceBetween>
      )}
    </Panel>
  );
}

const useAction = (id: string) =>
  useChange(
    (api, body: Choice) =>
      contentOf(
        api.POST("/v1/problems/{problem_id}/actions", {
          params: { path: { problem_id: id } },
          body,
        }),
      ),
    { told: () => words.done },
  );
