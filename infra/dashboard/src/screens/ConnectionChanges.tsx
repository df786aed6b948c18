import { contentOf } from "../api/client";
import { AskedButton } from "../shared/AskedButton";
import { useChange } from "../shared/change";
import type { Connection } from "../shared/connections";
import { texts } from "../texts";

const words = texts.connectionChanges;
const ROUTES = {
  stop: "/v1/connections/{connection_id}/stop-payments",
  allow: "/v1/connections/{connection_id}/allow-payments",
} as const;

/** Stops payments from being written to ConnectWise, or lets go on what a person stopped. */
export function PaymentsSwitch({ connection }: { connection: Connection }) {
  const change = connection.payments_stopped.includes("by_person") ? "allow" : "stop";
  const { label, question, told } = words[change];
  const send = useChange(
    (api) =>
      contentOf(api.POST(ROUTES[change], { params: { path: { connection_id: connection.id } } })),
    { told: () => told },
  );
  return (
    <AskedButton
      label={label}
      question={`${connection.name}: ${question}`}
      loading={send.isPending}
      disabled={connection.state === "disconnected"}
      onConfirm={() => send.mutate()}
    />
  );
}

export function DisconnectButton({ connection }: { connection: Connection }) {
  const { label, question, told } = words.disconnect;
  const disconnect = useChange(
    (api) =>
      contentOf(
        api.DELETE("/v1/connections/{connection_id}", {
          params: { path: { connection_id: connection.id } },
        }),
      ),
    { told: () => told },
  );
  return (
    <AskedButton
      label={label}
      question={`${connection.name}: ${question}`}
      loading={disconnect.isPending}
      disabled={connection.state === "disconnected"}
      onConfirm={() => disconnect.mutate()}
    />
  );
}
