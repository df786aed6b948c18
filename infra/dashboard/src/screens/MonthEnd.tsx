import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { Schemas } from "../api/client";
import { useAddress } from "../shared/address";
import { ConnectionChoice } from "../shared/ConnectionChoice";
import { useRead } from "../shared/change";
import { type Connection, useChosenConnection } from "../shared/connections";
import { DateFilter } from "../shared/filters";
import { atLeast, calendarDate, count, lastMonth, money, told } from "../shared/format";
import { PageLink } from "../shared/links";
import { Panel } from "../shared/Panel";
import { Loaded } from "../shared/record";
import { texts } from "../texts";

type MonthEnd = Schemas["MonthEndView"];

const words = texts.monthEnd;
const SUMS = [
  "collected",
  "posted",
  "not_posted",
  "unapplied",
  "gone_back",
  "gone_back_posted",
] as const;

/** Whether the days of a month agree between both sides; printed for the books. */
export default function MonthEndScreen() {
  const { query, all, chosen } = useChosenConnection();
  const { get } = useAddress();
  const usual = lastMonth(new Date());
  const days = {
    first_day: get("first_day") ?? usual.first_day,
    last_day: get("last_day") ?? usual.last_day,
  };
  return (
    <SpaceBetween size="l">
      <Header variant="h1" description={words.about}>
        {words.title}
      </Header>
      <SpaceBetween direction="horizontal" size="s">
        <ConnectionChoice all={all} chosen={chosen} />
        <FormField label={words.firstDay}>
          <DateFilter name="first_day" usual={usual.first_day} />
        </FormField>
        <FormField label={words.lastDay}>
          <DateFilter name="last_day" usual={usual.last_day} />
        </FormField>
      </SpaceBetween>
      <Loaded query={query}>
        {() =>
          chosen ? (
            <Statement connection={chosen} days={days} />
          ) : (
            <PageLink href="/connect">{texts.connections.connect}</PageLink>
          )
        }
      </Loaded>
    </SpaceBetween>
  );
}

type Days = { first_day: string; last_day: string };

function Statement({ connection, days }: { connection: Connection; days: Days }) {
  const query = useRead(["month-end", connection.id, days], (api) =>
    api.GET("/v1/connections/{connection_id}/month-end", {
      params: { path: { connection_id: connection.id }, query: days },
    }),
  );
  return (
    <Loaded query={query}>
      {(month) => (
        <SpaceBetween size="l">
          <Verdict month={month} name={connection.name} />
          {month.sums.map((sum) => (
            <Panel
              key={sum.currency}
              title={
                <>
                  {sum.currency}: {atLeast(count(sum.payment_count), month.is_complete)}{" "}
                  {words.payments}
                </>
              }
            >
              <KeyValuePairs
                columns={3}
                items={SUMS.map((name) => ({
                  label: words.sums[name],
                  value: <span className="figures">{money(sum[name])}</span>,
                }))}
              />
            </Panel>
          ))}
          {month.sums.length === 0 && <Box>{words.nothing}</Box>}
        </SpaceBetween>
      )}
    </Loaded>
  );
}

function Verdict({ month, name }: { month: MonthEnd; name: string }) {
  const days = `${calendarDate(month.first_day)} – ${calendarDate(month.last_day)}`;
  const isClosed = month.agrees && month.is_complete;
  return (
    <Alert
      type={isClosed ? "success" : "error"}
      header={`${name}, ${days}: ${isClosed ? words.agrees : words.differs}`}
      action={isClosed && <Button onClick={() => window.print()}>{words.print}</Button>}
    >
      {month.latest_comparison ? told(month.latest_comparison) : texts.overview.notCompared}
      {month.open_problems.map(({ code, title, count: open }) => (
        <div key={code}>
          <PageLink href={`/problems?code=${code}`}>{title}</PageLink>: {count(open)}
        </div>
      ))}
    </Alert>
  );
}
