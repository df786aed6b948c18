import Box from "@cloudscape-design/components/box";
import Skeleton from "@cloudscape-design/components/skeleton";
import SpaceBetween from "@cloudscape-design/components/space-between";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { texts } from "../texts";
import { Failure } from "./Failure";

/** What was read, or the lines where it will stand, or why it could not be read. */
export function Loaded<T>({
  query,
  children,
}: {
  query: UseQueryResult<T>;
  children: (content: T) => ReactNode;
}) {
  if (query.data !== undefined) {
    return (
      <SpaceBetween size="l">
        {query.error && <Failure error={query.error} onRetry={query.refetch} />}
        {children(query.data)}
      </SpaceBetween>
    );
  }
  return query.error ? <Failure error={query.error} onRetry={query.refetch} /> : <Lines />;
}

/** Lines where content will stand. */
export function Lines() {
  return (
    <div role="status" aria-label={texts.common.loading}>
      <SpaceBetween size="m">
        <Box padding={{ right: "xxxl" }}>
          <Skeleton height="2rem" />
        </Box>
        <Skeleton height="8rem" />
        <Skeleton height="14rem" />
      </SpaceBetween>
    </div>
  );
}
