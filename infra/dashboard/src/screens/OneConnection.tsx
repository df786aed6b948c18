import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Container from "@cloudscape-design/components/container";
import Header from "@cloudscape-design/components/header";
import KeyValuePairs from "@cloudscape-design/components/key-value-pairs";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useParams } from "wouter";
import { contentOf, type Schemas } from "../api/client";
import { useChange } from "../shared/change";
import { useConnection } from "../shared/connections";
import { moment } from "../shared/format";
import { PageLink, useFollow } from "../shared/links";
import { RightsTable } from "../shared/Rights";
import { RunProgress } from "../shared/RunProgress";
import { Loaded } from "../shared/record";
import { ConnectionState, CopiedId } from "../shared/values";
import { texts } from "../texts";
import { DisconnectButton, PaymentsSwitch } from "./ConnectionChanges";

const words = texts.connections;

export default function OneConnection() {
  const { id } = useParams<{ id: string }>();
  const query = useConnection(id);
  return <Loaded query={query}>{(connection) => <Shown connection={connection} />}</Loaded>;
}

function Shown({ connection }: { connection: Schemas["ConnectionDetail"] }) {
  const follow = useFollow();
  const verify = useVerification(connection.id);
  const here = `/connections/${connection.id}`;
  return (
    <SpaceBetween size="l">
      <Header
        variant="h1"
        actions={
          <SpaceBetween direction="horizontal" size="xs">
            <Button onClick={() => verify.mutate()} loading={verify.isPending}>
              {words.verify}
            </Button>
            <PaymentsSwitch connection={connection} />
            <DisconnectButton connection={connection} />
            <Button href={`${here}/filters`} onFollow={follow}>
              {words.filters}
            </Button>
          </SpaceBetween>
        }
      >
        {connection.name}
      </Header>
      <Warnings connection={connection} />
      {verify.data && <RightsTable rights={verify.data.rights} />}
      <Container>
        <KeyValuePairs columns={3} items={facts(connection)} />
      </Container>
      {!connection.is_cloud && (
        <Container header={<Header description={words.addressesAbout}>{words.addresses}</Header>}>
          <SpaceBetween size="xs">
            {connection.egress_addresses.map((address) => (
              <CopiedId key={address} id={address} />
            ))}
          </SpaceBetween>
        </Container>
      )}
    </SpaceBetween>
  );
}

function Warnings({ connection }: { connection: Schemas["ConnectionDetail"] }) {
  const { missing_rights, restrictions, payments_stopped } = connection;
  return (
    <SpaceBetween size="s">
      {missing_rights.length > 0 && (
        <Listed type="warning" header={words.missingRights} about={words.missingRightsAbout}>
          {missing_rights}
        </Listed>
      )}
      {restrictions.length > 0 && (
        <Listed type="warning" header={words.restrictions} about={words.restrictionsAbout}>
          {restrictions.map(({ module, row, column }) => `${module} > ${row}: ${column}`)}
        </Listed>
      )}
      {payments_stopped.length > 0 && (
        <Listed type="error" header={words.stopped}>
          {payments_stopped.map((stop) => words.stops[stop])}
        </Listed>
      )}
      {connection.clock_seconds_ahead !== 0 && <Alert type="info">{words.clock}</Alert>}
    </SpaceBetween>
  );
}

function Listed(props: {
  type: "warning" | "error";
  header: string;
  about?: string;
  children: string[];
}) {
  return (
    <Alert type={props.type} header={props.header}>
      {props.about}
      <ul>
        {props.children.map((each) => (
          <li key={each}>{each}</li>
        ))}
      </ul>
    </Alert>
  );
}

function facts(connection: Schemas["ConnectionDetail"]) {
  const { current_run, latest_run } = connection;
  const runs = `/runs?connection=${connection.id}`;
  return [
    { label: words.state, value: <ConnectionState state={connection.state} /> },
    { label: words.companyId, value: connection.company_id },
    { label: words.siteUrl, value: connection.site_url },
    {
      label: words.problems,
      value: (
        <PageLink href={`/problems?connection=${connection.id}`}>
          {connection.open_problem_count}
        </PageLink>
      ),
    },
    { label: words.callbacks, value: words.callbackStates[connection.callbacks] },
    { label: words.since, value: moment(connection.created_at) },
    {
      label: words.currentRun,
      value: current_run ? <RunProgress run={current_run} /> : words.idle,
    },
    {
      label: words.latestRun,
      value: latest_run ? (
        <PageLink href={runs}>
          {texts.runs.kinds[latest_run.kind]}: {texts.runs.states[latest_run.state]}
        </PageLink>
      ) : (
        <Box>{words.idle}</Box>
      ),
    },
    { label: texts.common.id, value: <CopiedId id={connection.id} /> },
  ];
}

const useVerification = (id: string) =>
  useChange(
    (api) =>
      contentOf(
        api.POST("/v1/connections/{connection_id}/verify", {
          params: { path: { connection_id: id } },
        }),
      ),
    { told: () => words.verified },
  );
