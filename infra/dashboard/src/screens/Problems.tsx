import FormField from "@cloudscape-design/components/form-field";
import SegmentedControl from "@cloudscape-design/components/segmented-control";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { TableProps } from "@cloudscape-design/components/table";
import { useState } from "react";
import { contentOf, type Schemas, useApi } from "../api/client";
import { AskedButton } from "../shared/AskedButton";
import { useAddress } from "../shared/address";
import { useChange } from "../shared/change";
import { ChoiceFilter } from "../shared/filters";
import { count, moment } from "../shared/format";
import { ListTable } from "../shared/ListTable";
import { PageLink } from "../shared/links";
import { usePages } from "../shared/pages";
import { outcomeOf, retryAll } from "../shared/retries";
import { ProblemState } from "../shared/values";
import { texts } from "../texts";

type Problem = Schemas["ProblemView"];

const words = texts.problems;
const STATES = ["open", "resolved", "all"] as const;
const CODES = Object.keys(words.codes) as (keyof typeof words.codes)[];

export default function Problems() {
  const api = useApi();
  const { get, set } = useAddress();
  const state = STATES.find((each) => each === get("state")) ?? "open";
  const query = {
    state,
    code: CODES.find((each) => each === get("code")),
    connection_id: get("connection"),
    record_id: get("record"),
  };
  const pages = usePages<Problem>(["problems", query], (cursor) =>
    api.GET("/v1/problems", { params: { query: { ...query, cursor } } }),
  );
  const [chosen, setChosen] = useState<Problem[]>([]);
  // What is gone from the list, or may not be tried again any more, is not chosen either.
  const retried = pages.items.filter(
    (problem) => mayRetry(problem) && chosen.some(({ id }) => id === problem.id),
  );
  return (
    <ListTable
      title={words.title}
      about={words.about}
      empty={words.empty}
      pages={pages}
      columns={columns}
      actions={<RetryButton problems={retried} onDone={() => setChosen([])} />}
      selection={{
        selectedItems: retried,
        onSelectionChange: ({ detail }) => setChosen(detail.selectedItems),
        isItemDisabled: (problem) => !mayRetry(problem),
        ariaLabels: {
          selectionGroupLabel: words.choice,
          allItemsSelectionLabel: () => words.chooseAll,
          itemSelectionLabel: (_, { title, detail }) => `${title}: ${detail}`,
        },
      }}
      filter={
        <SpaceBetween direction="horizontal" size="s">
          <FormField label={words.state}>
            <SegmentedControl
              label={words.state}
              selectedId={state}
              options={STATES.map((id) => ({ id, text: words.states[id] }))}
              onChange={({ detail }) => set({ state: detail.selectedId })}
            />
          </FormField>
          <ChoiceFilter name="code" label={words.problem} choices={words.codes} />
        </SpaceBetween>
      }
    />
  );
}

const mayRetry = (problem: Problem) =>
  problem.state === "open" && problem.actions.includes("retry");

/** Tries several problems again, one after the other; each that is refused stays open. */
function RetryButton({ problems, onDone }: { problems: Problem[]; onDone: () => void }) {
  const retry = useChange(
    (api, ids: string[]) =>
      retryAll(ids, (problem_id) =>
        contentOf(
          api.POST("/v1/problems/{problem_id}/actions", {
            params: { path: { problem_id } },
            body: { action: "retry" },
          }),
        ),
      ),
    { told: outcomeOf, after: onDone },
  );
  return (
    <AskedButton
      label={words.retrySeveral}
      disabled={problems.length === 0}
      loading={retry.isPending}
      question={
        <>
          {words.retryQuestion}
          <ul>
            {problems.map(({ id, title, detail }) => (
              <li key={id}>
                {title}: {detail}
              </li>
            ))}
          </ul>
        </>
      }
      onConfirm={() => retry.mutate(problems.map(({ id }) => id))}
    />
  );
}

const columns: TableProps.ColumnDefinition<Problem>[] = [
  {
    id: "problem",
    header: words.problem,
    cell: ({ id, title }) => <PageLink href={`/problems/${id}`}>{title}</PageLink>,
    isRowHeader: true,
  },
  { id: "what", header: words.what, cell: ({ detail }) => detail },
  {
    id: "state",
    header: words.state,
    minWidth: 120,
    cell: ({ state }) => <ProblemState state={state} />,
  },
  { id: "opened", header: words.opened, cell: ({ opened_at }) => moment(opened_at) },
  { id: "seen", header: words.seen, cell: ({ times_seen }) => count(times_seen) },
];
