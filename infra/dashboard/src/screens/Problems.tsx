import FormField from "@cloudscape-design/components/form-field";
import SegmentedControl from "@cloudscape-design/components/segmented-control";
import type { TableProps } from "@cloudscape-design/components/table";
import { type Schemas, useApi } from "../api/client";
import { useAddress } from "../shared/address";
import { count, moment } from "../shared/format";
import { ListTable } from "../shared/ListTable";
import { PageLink } from "../shared/links";
import { usePages } from "../shared/pages";
import { ProblemState } from "../shared/values";
import { texts } from "../texts";

type Problem = Schemas["ProblemView"];

const words = texts.problems;
const STATES = ["open", "resolved", "all"] as const;

export default function Problems() {
  const api = useApi();
  const { get, set } = useAddress();
  const state = STATES.find((each) => each === get("state")) ?? "open";
  const pages = usePages<Problem>(["problems", state], (cursor) =>
    api.GET("/v1/problems", { params: { query: { state, cursor } } }),
  );
  return (
    <ListTable
      title={words.title}
      about={words.about}
      empty={words.empty}
      pages={pages}
      columns={columns}
      filter={
        <FormField label={words.state}>
          <SegmentedControl
            label={words.state}
            selectedId={state}
            options={STATES.map((id) => ({ id, text: words.states[id] }))}
            onChange={({ detail }) => set({ state: detail.selectedId })}
          />
        </FormField>
      }
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
  { id: "state", header: words.state, cell: ({ state }) => <ProblemState state={state} /> },
  { id: "opened", header: words.opened, cell: ({ opened_at }) => moment(opened_at) },
  { id: "seen", header: words.seen, cell: ({ times_seen }) => count(times_seen) },
];
