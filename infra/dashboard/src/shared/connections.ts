import { useQuery } from "@tanstack/react-query";
import { contentOf, type Schemas, useApi } from "../api/client";
import { useAddress } from "./address";

export type Connection = Schemas["ConnectionDetail"];

const RUN_SECONDS = 3;

export function useConnections() {
  const api = useApi();
  return useQuery({
    queryKey: ["connections"],
    queryFn: async () => (await contentOf(api.GET("/v1/connections"))).items,
    refetchInterval: ({ state }) =>
      state.data?.some(({ current_run }) => current_run) ? RUN_SECONDS * 1000 : false,
  });
}

/** One connection with its health; it is followed closely while a run goes on. */
export function useConnection(id: string) {
  const api = useApi();
  return useQuery({
    queryKey: ["connections", id],
    queryFn: () =>
      contentOf(
        api.GET("/v1/connections/{connection_id}", { params: { path: { connection_id: id } } }),
      ),
    refetchInterval: ({ state }) => (state.data?.current_run ? RUN_SECONDS * 1000 : false),
  });
}

/** The connection that the address names, else the first that is not disconnected. */
export function useChosenConnection() {
  const { get } = useAddress();
  const query = useConnections();
  const all = query.data ?? [];
  const named = all.find((each) => each.id === get("connection"));
  return {
    query,
    all,
    chosen: named ?? all.find((each) => each.state !== "disconnected") ?? all[0],
  };
}
