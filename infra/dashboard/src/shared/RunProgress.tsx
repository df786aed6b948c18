import ProgressBar from "@cloudscape-design/components/progress-bar";
import type { Schemas } from "../api/client";
import { texts } from "../texts";
import { count } from "./format";
import { RunState } from "./values";

type Run = Schemas["RunView"];

export const isGoingOn = (run: Run) => run.state === "queued" || run.state === "running";

/** How far a run is: a bar while it goes on, else how it ended. */
export function RunProgress({ run }: { run: Run }) {
  const { done, expected } = run.progress;
  if (!isGoingOn(run) || !expected) {
    return <RunState state={run.state} />;
  }
  const share = Math.min(100, Math.floor((100 * done) / expected));
  return (
    <ProgressBar
      value={share}
      ariaLabel={texts.runs.kinds[run.kind]}
      additionalInfo={`${count(done)} ${texts.runs.of} ${count(expected)}`}
    />
  );
}
