import Box from "@cloudscape-design/components/box";
import Header from "@cloudscape-design/components/header";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Table from "@cloudscape-design/components/table";
import { lazy, Suspense } from "react";
import type { Schemas } from "../api/client";
import { atLeast, calendarDate, count, money, told } from "../shared/format";
import { PageLink } from "../shared/links";
import { Panel } from "../shared/Panel";
import { ConnectionState, MoneyHead, moneyColumn, WriteBackState } from "../shared/values";
import { texts } from "../texts";

type Overview = Schemas["OverviewView"];

const words = texts.overview;

// The tables say the same, so that nobody waits for the charts.
const Bars = lazy(() => import("../shared/Bars"));

/** The figures of the overview: each chart with its numbers in a table. */
export default function OverviewFigures({ overview }: { overview: Overview }) {
  return (
    <SpaceBetween size="l">
      {overview.outstanding.map((each) => (
        <Owed
          key={each.currency}
          outstanding={each}
          isComplete={overview.outstanding_is_complete}
        />
      ))}
      <Collected collected={overview.collected} />
      <WriteBacks counts={overview.write_backs} />
      <Problems counts={overview.problems} />
      <Connections connections={overview.connections} />
    </SpaceBetween>
  );
}

type OwedProps = { outstanding: Overview["outstanding"][number]; isComplete: boolean };

function Owed({ outstanding, isComplete }: OwedProps) {
  const { currency, owed, overdue, credit, credit_count, ages } = outstanding;
  return (
    <Panel
      title={
        <>
          {words.owed}: {atLeast(money(owed), isComplete)}
        </>
      }
      about={`${words.overdue}: ${money(overdue)}, ${words.credits} ${money(credit)} (${count(credit_count)})`}
    >
      <Chart
        title={`${words.owed}, ${currency}`}
        bars={ages.map(({ age, amount }) => ({ label: words.ages[age], amount }))}
      />
      <Table
        variant="embedded"
        items={ages}
        trackBy="age"
        columnDefinitions={[
          { id: "age", header: words.due, cell: ({ age }) => words.ages[age], isRowHeader: true },
          countColumn<Schemas["AgeSumView"]>(
            texts.nav.invoices,
            ({ invoice_count }) => invoice_count,
          ),
          moneyColumn<Schemas["AgeSumView"]>("amount", words.amount, ({ amount }) => amount),
        ]}
      />
      <PageLink href={`/invoices?state=unpaid&currency=${currency}`}>{words.allInvoices}</PageLink>{" "}
      <PageLink href={`/invoices?state=overdue&currency=${currency}`}>{words.allOverdue}</PageLink>
    </Panel>
  );
}

function Collected({ collected }: { collected: Schemas["CollectedView"] }) {
  const { days, first_day, last_day, is_complete } = collected;
  const currencies = [...new Set(days.map(({ amount }) => amount.currency))];
  return (
    <Panel
      title={words.collected}
      about={atLeast(`${calendarDate(first_day)} – ${calendarDate(last_day)}`, is_complete)}
    >
      {currencies.map((currency) => (
        <Chart
          key={currency}
          title={`${words.collected}, ${currency}`}
          bars={days
            .filter(({ amount }) => amount.currency === currency)
            .map(({ received_on, amount }) => ({ label: calendarDate(received_on), amount }))}
        />
      ))}
      <Table
        variant="embedded"
        items={days}
        empty={words.nothing}
        columnDefinitions={[
          {
            id: "day",
            header: words.day,
            isRowHeader: true,
            cell: ({ received_on: day }) => (
              <PageLink href={`/payments?view=collected&received_from=${day}&received_to=${day}`}>
                {calendarDate(day)}
              </PageLink>
            ),
          },
          countColumn<Schemas["CollectedDayView"]>(
            words.payments,
            ({ payment_count }) => payment_count,
          ),
          moneyColumn<Schemas["CollectedDayView"]>("amount", words.amount, ({ amount }) => amount),
        ]}
      />
    </Panel>
  );
}

function WriteBacks({ counts }: { counts: Overview["write_backs"] }) {
  return (
    <Table
      header={<Header variant="h2">{words.writeBacks}</Header>}
      items={counts.states}
      trackBy="state"
      empty={words.noWriteBacks}
      columnDefinitions={[
        {
          id: "state",
          header: words.state,
          cell: ({ state }) => <WriteBackState state={state} />,
          isRowHeader: true,
        },
        countColumn<Schemas["StateCountView"]>(
          words.payments,
          (each) => each.count,
          counts.is_complete,
        ),
      ]}
    />
  );
}

function Problems({ counts }: { counts: Overview["problems"] }) {
  return (
    <Table
      header={<Header variant="h2">{words.problems}</Header>}
      items={counts.codes}
      trackBy="code"
      empty={texts.problems.empty}
      columnDefinitions={[
        {
          id: "problem",
          header: texts.problems.problem,
          cell: ({ code, title }) => <PageLink href={`/problems?code=${code}`}>{title}</PageLink>,
          isRowHeader: true,
        },
        countColumn<Schemas["CodeCountView"]>(words.open, (each) => each.count, counts.is_complete),
      ]}
    />
  );
}

function Connections({ connections }: { connections: Overview["connections"] }) {
  return (
    <Table
      header={
        <Header variant="h2" description={words.comparisonAbout}>
          {words.comparison}
        </Header>
      }
      items={connections}
      trackBy="id"
      empty={<PageLink href="/connect">{texts.connections.connect}</PageLink>}
      columnDefinitions={[
        {
          id: "name",
          header: texts.connections.name,
          cell: ({ id, name }) => <PageLink href={`/connections/${id}`}>{name}</PageLink>,
          isRowHeader: true,
        },
        {
          id: "state",
          header: texts.connections.state,
          cell: ({ state }) => <ConnectionState state={state} />,
        },
        {
          id: "comparison",
          header: words.result,
          cell: ({ latest_comparison: latest }) => (latest ? told(latest) : words.notCompared),
        },
      ]}
    />
  );
}

function countColumn<T>(header: string, countOf: (item: T) => number, isComplete = true) {
  return {
    id: "count",
    header: <MoneyHead>{header}</MoneyHead>,
    cell: (item: T) => <Box textAlign="right">{atLeast(count(countOf(item)), isComplete)}</Box>,
  };
}

function Chart(props: React.ComponentProps<typeof Bars>) {
  return <Suspense fallback={null}>{props.bars.length > 0 && <Bars {...props} />}</Suspense>;
}
