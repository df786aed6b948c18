import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import Form from "@cloudscape-design/components/form";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Multiselect from "@cloudscape-design/components/multiselect";
import RadioGroup from "@cloudscape-design/components/radio-group";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useEffect, useState } from "react";
import { contentOf, type Schemas } from "../api/client";
import { ConnectionChoice } from "../shared/ConnectionChoice";
import { useChange, useRead } from "../shared/change";
import { type Connection, useChosenConnection } from "../shared/connections";
import { timeUntil } from "../shared/format";
import { PageLink } from "../shared/links";
import { Panel } from "../shared/Panel";
import { Loaded } from "../shared/record";
import { texts } from "../texts";
import { CallbackSecret, KeysForm } from "./Keys";

type Fetch = Schemas["FetchKind"];
type WriteBack = Schemas["WriteBackPolicyView"];

const words = texts.preferences;

export default function Preferences() {
  const { query, all, chosen } = useChosenConnection();
  return (
    <Loaded query={query}>
      {() => (
        <SpaceBetween size="l">
          <Header variant="h1" description={words.about}>
            {words.title}
          </Header>
          <ConnectionChoice all={all} chosen={chosen} />
          {chosen ? (
            <SpaceBetween size="l" key={chosen.id}>
              <Fetches connection={chosen} />
              <WriteBackForm connection={chosen} />
              <KeysForm connection={chosen} />
              <CallbackSecret connection={chosen} />
            </SpaceBetween>
          ) : (
            <PageLink href="/connect">{texts.connections.connect}</PageLink>
          )}
        </SpaceBetween>
      )}
    </Loaded>
  );
}

function Fetches({ connection }: { connection: Connection }) {
  const query = useRead(["fetches", connection.id], (api) =>
    api.GET("/v1/connections/{connection_id}/fetches", {
      params: { path: { connection_id: connection.id } },
    }),
  );
  return (
    <Panel title={words.fetches}>
      <Loaded query={query}>
        {({ items }) => (
          <SpaceBetween size="l">
            {items.map(({ kind, free_at }) => (
              <FetchButton key={kind} connection={connection.id} kind={kind} freeAt={free_at}>
                {words.fetchAbouts[kind]}
              </FetchButton>
            ))}
          </SpaceBetween>
        )}
      </Loaded>
    </Panel>
  );
}

function FetchButton(props: {
  connection: string;
  kind: Fetch;
  freeAt: string | null;
  children: string;
}) {
  const left = useCountdown(props.freeAt ?? "");
  const start = useChange(
    (api) =>
      contentOf(
        api.POST("/v1/connections/{connection_id}/fetches", {
          params: { path: { connection_id: props.connection } },
          body: { kind: props.kind },
        }),
      ),
    {
      told: () => (
        <PageLink href="/runs" color="inverted">
          {words.started}
        </PageLink>
      ),
    },
  );
  return (
    <SpaceBetween size="xs">
      <Box>{props.children}</Box>
      <SpaceBetween direction="horizontal" size="s" alignItems="center">
        <Button
          onClick={() => start.mutate()}
          loading={start.isPending}
          disabled={left !== null}
          disabledReason={left === null ? undefined : `${words.freeIn} ${left}`}
        >
          {texts.runs.kinds[props.kind]}
        </Button>
        {left && (
          <Box color="text-body-secondary">
            {words.freeIn} <span className="figures">{left}</span>
          </Box>
        )}
      </SpaceBetween>
    </SpaceBetween>
  );
}

const TICK_MILLISECONDS = 1000;

function useCountdown(until: string): string | null {
  const [now, setNow] = useState(Date.now);
  const left = timeUntil(until, now);
  useEffect(() => {
    if (!until) {
      return;
    }
    setNow(Date.now());
    const ticking = setInterval(() => setNow(Date.now()), TICK_MILLISECONDS);
    return () => clearInterval(ticking);
  }, [until]);
  return left;
}

const KEEP = { value: "", label: words.keepStatus };
const WHENS = Object.keys(words.whens) as WriteBack["when"][];
const UNDONE = Object.keys(words.undone) as (keyof typeof words.undone)[];
// A voided payment always goes, chosen or not; what is saved about it stays as it is.
const SAVED = [...UNDONE, "voided"] as const;

function WriteBackForm({ connection }: { connection: Connection }) {
  const [policy, setPolicy] = useState(connection.write_back);
  const statuses = useStatuses(connection.id);
  const save = useSaving(connection.id);
  const options = [KEEP, ...statuses];
  const status = policy.paid_status_id === null ? "" : String(policy.paid_status_id);
  const change = (part: Partial<WriteBack>) => setPolicy({ ...policy, ...part });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate(policy);
      }}
    >
      <Panel title={words.writeBack} about={words.otherBooks}>
        <Form
          actions={
            <Button variant="primary" formAction="submit" loading={save.isPending}>
              {texts.common.save}
            </Button>
          }
        >
          <SpaceBetween size="l">
            <FormField label={words.when}>
              <RadioGroup
                value={policy.when}
                items={WHENS.map((value) => ({ value, label: words.whens[value] }))}
                onChange={({ detail }) => change({ when: detail.value as WriteBack["when"] })}
              />
            </FormField>
            <FormField label={words.paidStatus} description={words.paidStatusAbout}>
              <Select
                selectedOption={options.find(({ value }) => value === status) ?? KEEP}
                options={options}
                onChange={({ detail }) => {
                  const chosen = detail.selectedOption.value;
                  change({ paid_status_id: chosen ? Number(chosen) : null });
                }}
              />
            </FormField>
            <FormField label={words.reverseOn} description={words.reverseAbout}>
              <Multiselect
                options={UNDONE.map((value) => ({ value, label: words.undone[value] }))}
                selectedOptions={UNDONE.filter((each) => policy.reverse_on.includes(each)).map(
                  (value) => ({ value, label: words.undone[value] }),
                )}
                onChange={({ detail }) => {
                  const chosen = detail.selectedOptions.map(({ value }) => value);
                  change({ reverse_on: chosenStates(policy.reverse_on, chosen) });
                }}
              />
            </FormField>
          </SpaceBetween>
        </Form>
      </Panel>
    </form>
  );
}

function chosenStates(before: WriteBack["reverse_on"], chosen: (string | undefined)[]) {
  return SAVED.filter((each) => (each === "voided" ? before : chosen).includes(each));
}

/** The tenant's own billing statuses, of which the API takes no other. */
function useStatuses(connection: string) {
  const { data } = useRead(["billing-statuses", connection], (api) =>
    api.GET("/v1/connections/{connection_id}/billing-statuses", {
      params: { path: { connection_id: connection } },
    }),
  );
  return (data?.items ?? []).map(({ id, name }) => ({ value: String(id), label: name }));
}

const useSaving = (connection: string) =>
  useChange(
    (api, { when, paid_status_id, reverse_on }: WriteBack) =>
      contentOf(
        api.PATCH("/v1/connections/{connection_id}", {
          params: { path: { connection_id: connection } },
          body: {
            write_back: {
              when,
              paid_status_id,
              reverse_on: SAVED.filter((each) => reverse_on.includes(each)),
            },
          },
        }),
      ),
    { told: () => words.saved },
  );
