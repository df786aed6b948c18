import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useMutation } from "@tanstack/react-query";
import { contentOf, useApi } from "../api/client";
import { texts } from "../texts";
import { useChosenConnection } from "./connections";
import { Failure } from "./Failure";

const words = texts.whereIsIt;

/** Why an invoice of ConnectWise is not in the list, in the API's own sentence. */
export function WhereIsIt({ number }: { number: string }) {
  const api = useApi();
  const { chosen } = useChosenConnection();
  const search = useMutation({
    mutationFn: (connection: string) =>
      contentOf(
        api.GET("/v1/connections/{connection_id}/records/{kind}", {
          params: {
            path: { connection_id: connection, kind: "invoices" },
            query: { number },
          },
        }),
      ),
  });
  return (
    <SpaceBetween size="s" alignItems="center">
      <Box>{texts.invoices.empty}</Box>
      {chosen && (
        <Button loading={search.isPending} onClick={() => search.mutate(chosen.id)}>
          {words.ask} {number}
        </Button>
      )}
      {search.error && <Failure error={search.error} />}
      {search.data?.items.length === 0 && <Box>{words.nowhere}</Box>}
      {search.data?.items.map(({ sentence }) => (
        <Box key={sentence}>{sentence}</Box>
      ))}
    </SpaceBetween>
  );
}
