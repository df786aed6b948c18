import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { lazy, Suspense } from "react";
import type { Schemas } from "../api/client";
import { useRead } from "../shared/change";
import { atLeast, count, moment, money } from "../shared/format";
import { PageLink } from "../shared/links";
import { Panel } from "../shared/Panel";
import { Lines, Loaded } from "../shared/record";
import { texts } from "../texts";

type Overview = Schemas["OverviewView"];

const words = texts.overview;

// Charts and tables are large: what matters most is there before them.
const OverviewFigures = lazy(() => import("./OverviewFigures"));

/** How the partner stands: what is owed, what came in, and what waits. */
export default function OverviewScreen() {
  const query = useRead(["overview"], (api) => api.GET("/v1/overview"));
  return (
    <SpaceBetween size="l">
      <Header variant="h1" description={query.data && `${words.asOf} ${moment(query.data.as_of)}`}>
        {words.title}
      </Header>
      <Loaded query={query}>
        {(overview) => (
          <SpaceBetween size="l">
            <Panel title={words.now}>
              <KeyValuePairs columns={4} items={facts(overview)} />
            </Panel>
            <Suspense fallback={<Lines />}>
              <OverviewFigures overview={overview} />
            </Suspense>
          </SpaceBetween>
        )}
      </Loaded>
    </SpaceBetween>
  );
}

function facts({ outstanding, outstanding_is_complete: isComplete, problems }: Overview) {
  const open = problems.codes.reduce((sum, each) => sum + each.count, 0);
  return [
    ...outstanding.flatMap(({ currency, owed, overdue }) => [
      {
        label: `${words.owed} (${currency})`,
        value: (
          <PageLink href={`/invoices?state=unpaid&currency=${currency}`}>
            {atLeast(money(owed), isComplete)}
          </PageLink>
        ),
      },
      {
        label: `${words.overdue} (${currency})`,
        value: (
          <PageLink href={`/invoices?state=overdue&currency=${currency}`}>
            {atLeast(money(overdue), isComplete)}
          </PageLink>
        ),
      },
    ]),
    {
      label: words.problems,
      value: <PageLink href="/problems">{atLeast(count(open), problems.is_complete)}</PageLink>,
    },
  ];
}
