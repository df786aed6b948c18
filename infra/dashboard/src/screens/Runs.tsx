import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { TableProps } from "@cloudscape-design/components/table";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { contentOf, type Schemas, useApi } from "../api/client";
import { ConnectionChoice } from "../shared/ConnectionChoice";
import { useChosenConnection } from "../shared/connections";
import { count, moment, NOTHING } from "../shared/format";
import { ListTable } from "../shared/ListTable";
import { useNotify } from "../shared/notices";
import { usePages } from "../shared/pages";
import { isGoingOn, RunProgress } from "../shared/RunProgress";
import { Loaded } from "../shared/record";
import { RunState } from "../shared/values";
import { texts } from "../texts";

type Run = Schemas["RunView"];

const words = texts.runs;
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
  const pages = usePages<Run>(
    ["runs", connection],
    (cursor) =>
      api.GET("/v1/connections/{connection_id}/runs", {
        params: { path: { connection_id: connection }, query: { cursor } },
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
      filter={choice}
    />
  );
}

const columns: TableProps.ColumnDefinition<Run>[] = [
  { id: "kind", header: words.kind, cell: ({ kind }) => words.kinds[kind], isRowHeader: true },
  { id: "state", header: words.state, cell: ({ state }) => <RunState state={state} /> },
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
  const api = useApi();
  const notify = useNotify();
  const queries = useQueryClient();
  const cancel = useMutation({
    mutationFn: () =>
      contentOf(
        api.POST("/v1/connections/{connection_id}/runs/{run_id}/cancel", {
          params: { path: { connection_id: run.connection_id, run_id: run.id } },
        }),
      ),
    onSuccess: () => notify("success", words.cancelled),
    onError: (error) => notify("error", error.message),
    onSettled: () => queries.invalidateQueries({ queryKey: ["runs"] }),
  });
  return (
    <Button variant="inline-link" loading={cancel.isPending} onClick={() => cancel.mutate()}>
      {words.cancel}
    </Button>
  );
}
