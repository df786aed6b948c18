import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { type Connection, useConnections } from "../shared/connections";
import { NOTHING } from "../shared/format";
import { PageLink, useFollow } from "../shared/links";
import { Panel } from "../shared/Panel";
import { RunProgress } from "../shared/RunProgress";
import { Loaded } from "../shared/record";
import { ConnectionState } from "../shared/values";
import { texts } from "../texts";

const words = texts.connections;

export default function Connections() {
  const query = useConnections();
  const follow = useFollow();
  return (
    <SpaceBetween size="l">
      <Header
        variant="h1"
        description={words.about}
        actions={
          <Button variant="primary" href="/connect" onFollow={follow}>
            {words.connect}
          </Button>
        }
      >
        {words.title}
      </Header>
      <Loaded query={query}>
        {(connections) =>
          connections.length === 0 ? (
            <Container>
              <Box textAlign="center">{words.empty}</Box>
            </Container>
          ) : (
            connections.map((each) => <Summary key={each.id} connection={each} />)
          )
        }
      </Loaded>
    </SpaceBetween>
  );
}

function Summary({ connection }: { connection: Connection }) {
  const run = connection.current_run ?? connection.latest_run;
  return (
    <Panel
      title={
        <PageLink href={`/connections/${connection.id}`} fontSize="heading-m">
          {connection.name}
        </PageLink>
      }
    >
      <KeyValuePairs
        columns={4}
        items={[
          { label: words.state, value: <ConnectionState state={connection.state} /> },
          { label: words.companyId, value: connection.company_id },
          {
            label: words.problems,
            value: (
              <PageLink href={`/problems?connection=${connection.id}`}>
                {connection.open_problem_count}
              </PageLink>
            ),
          },
          {
            label: run ? texts.runs.kinds[run.kind] : words.latestRun,
            value: run ? <RunProgress run={run} /> : NOTHING,
          },
        ]}
      />
    </Panel>
  );
}
