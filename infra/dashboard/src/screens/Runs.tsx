import Box from "@cloudscape-design/components/box";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { TableProps } from "@cloudscape-design/components/table";
import { contentOf, type Schemas, useApi } from "../api/client";
import { AskedButton } from "../shared/AskedButton";
import { useAddress } from "../shared/address";
import { ConnectionChoice } from "../shared/ConnectionChoice";
import { useChange } from "../shared/change";
import { useChosenConnection } from "../shared/connections";
import { ChoiceFilter } from "../shared/filters";
import { count, moment, NOTHING } from "../shared/format";
import { ListTable } from "../shared/ListTable";
import { usePages } from "../shared/pages";
import { isGoingOn, RunProgress } from "../shared/RunProgress";
import { Loaded } from "../shared/record";
import { RunState } from "../shared/values";
import { texts } from "../texts";

type Run = Schemas["RunView"];

const words = texts.runs;
const KINDS = Object.keys(words.kinds) as Run["kind"][];
const STATES = Object.keys(words.states) as Run["state"][];
const FOLLOWED_SECONDS = 3;
const OUTCOMES = Object.keys(words.counters) as (keyof typeof words.counters)[];

export default function Runs() {
  const { query, all, chosen } = useChosenConnection();
  return (
    <Loaded query={query}>
      {() =>
        chosen ? (
          <RunsOf connection={chosen.id} choice={<ConnectionChoice all={all} chosen={chosen} />} />
        ) : (
          <Box>{texts.connections.empty}</Box>
        )
      }
    </Loaded>
  );
}

function RunsOf({ connection, choice }: { connection: string; choice: React.ReactNode }) {
  const api = useApi();
  const { get } = useAddress();
  const query = {
    kind: KINDS.find((each) => each === get("kind")),
    state: STATES.find((each) => each === get("state")),
  };
  const pages = usePages<Run>(
    ["runs", connection, query],
    (cursor) =>
      api.GET("/v1/connections/{connection_id}/runs", {
        params: { path: { connection_id: connection }, query: { ...query, cursor } },
      }),
    { everySeconds: (runs) => runs.some(isGoingOn) && FOLLOWED_SECONDS },
  );
  return (
    <ListTable
      title={words.title}
      about={words.about}
      empty={words.empty}
      pages={pages}
      columns={columns}
      filter={
        <SpaceBetween direction="horizontal" size="s">
          {choice}
          <ChoiceFilter name="kind" label={words.kind} choices={words.kinds} />
          <ChoiceFilter name="state" label={words.state} choices={words.states} />
        </SpaceBetween>
      }
    />
  );
}

const columns: TableProps.ColumnDefinition<Run>[] = [
  { id: "kind", header: words.kind, cell: ({ kind }) => words.kinds[kind], isRowHeader: true },
  {
    id: "state",
    header: words.state,
    minWidth: 120,
    cell: ({ state }) => <RunState state={state} />,
  },
  { id: "progress", header: words.progress, cell: (run) => <Progress run={run} /> },
  { id: "started", header: words.started, cell: ({ created_at }) => moment(created_at) },
  {
    id: "duration",
    header: words.duration,
    cell: ({ duration_seconds: seconds }) =>
      seconds === null ? NOTHING : `${count(seconds)} ${words.seconds}`,
  },
  { id: "result", header: words.result, cell: (run) => <Result run={run} /> },
];

function Progress({ run }: { run: Run }) {
  const { done, expected } = run.progress;
  if (isGoingOn(run)) {
    return <RunProgress run={run} />;
  }
  return expected === null ? count(done) : `${count(done)} ${words.of} ${count(expected)}`;
}

function Result({ run }: { run: Run }) {
  return (
    <SpaceBetween size="xxs">
      {run.failure && <Box>{words.failures[run.failure] ?? run.failure}</Box>}
      {(["customers", "invoices"] as const).map((kind) => (
        <Box key={kind}>
          {words[kind]}: {outcome(run[kind])}
          {run.comparison[kind].compared > 0 && `; ${comparison(run.comparison[kind])}`}
        </Box>
      ))}
      {isGoingOn(run) && <CancelButton run={run} />}
    </SpaceBetween>
  );
}

/** How many were looked at, and what became of them; the outcomes add up. */
export function outcome(counts: Schemas["CountersView"]): string {
  const parts = OUTCOMES.filter((name) => counts[name] > 0).map(
    (name) => `${count(counts[name])} ${words.counters[name]}`,
  );
  const seen = `${count(counts.seen)} ${words.seen}`;
  return parts.length === 0 ? seen : `${seen} (${parts.join(", ")})`;
}

function comparison({ compared, differing }: Schemas["ComparisonView"]): string {
  return `${count(compared)} ${words.compared}, ${count(differing)} ${words.differing}`;
}

function CancelButton({ run }: { run: Run }) {
  const cancel = useChange(
    (api) =>
      contentOf(
        api.POST("/v1/connections/{connection_id}/runs/{run_id}/cancel", {
          params: { path: { connection_id: run.connection_id, run_id: run.id } },
        }),
      ),
    { told: () => words.cancelled },
  );
  return (
    <AskedButton
      variant="inline-link"
      label={words.cancel}
      question={`${words.kinds[run.kind]}, ${moment(run.created_at)}: ${words.cancelQuestion}`}
      loading={cancel.isPending}
      onConfirm={() => cancel.mutate()}
    />
  );
}
