import Button from "@cloudscape-design/components/button";
import Form from "@cloudscape-design/components/form";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { contentOf } from "../api/client";
import { AskedButton } from "../shared/AskedButton";
import { useChange } from "../shared/change";
import type { Connection } from "../shared/connections";
import { Panel } from "../shared/Panel";
import { texts } from "../texts";

const words = texts.keys;
const EMPTY = { public_key: "", private_key: "" };
const FIELDS = [
  { name: "public_key", label: texts.connect.publicKey, type: "text" },
  { name: "private_key", label: texts.connect.privateKey, type: "password" },
] as const;

/** New keys of the API member; they are proven before they take the place of the old ones. */
export function KeysForm({ connection }: { connection: Connection }) {
  const [keys, setKeys] = useState(EMPTY);
  const isFilled = FIELDS.every(({ name }) => keys[name].trim() !== "");
  const save = useChange(
    (api, _: undefined) =>
      contentOf(
        api.PATCH("/v1/connections/{connection_id}", {
          params: { path: { connection_id: connection.id } },
          body: {
            credentials: {
              public_key: keys.public_key.trim(),
              private_key: keys.private_key.trim(),
            },
          },
        }),
      ),
    { told: () => words.saved, after: () => setKeys(EMPTY) },
  );
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (isFilled) save.mutate(undefined);
      }}
    >
      <Panel title={words.title} about={words.about}>
        <Form
          actions={
            <Button formAction="submit" disabled={!isFilled} loading={save.isPending}>
              {words.save}
            </Button>
          }
        >
          <SpaceBetween size="m">
            {FIELDS.map(({ name, label, type }) => (
              <FormField key={name} label={label}>
                <Input
                  value={keys[name]}
                  type={type}
                  autoComplete={false}
                  spellcheck={false}
                  onChange={({ detail }) => setKeys({ ...keys, [name]: detail.value })}
                />
              </FormField>
            ))}
          </SpaceBetween>
        </Form>
      </Panel>
    </form>
  );
}

/** The secret in the address at which ConnectWise tells us of changes. */
export function CallbackSecret({ connection }: { connection: Connection }) {
  const rotate = useChange(
    (api) =>
      contentOf(
        api.POST("/v1/connections/{connection_id}/rotate-callback-secret", {
          params: { path: { connection_id: connection.id } },
        }),
      ),
    { told: () => words.secretChanged },
  );
  return (
    <Panel
      title={words.secret}
      about={words.secretAbout}
      actions={
        <AskedButton
          label={words.changeSecret}
          question={`${connection.name}: ${words.secretQuestion}`}
          loading={rotate.isPending}
          onConfirm={() => rotate.mutate()}
        />
      }
    />
  );
}
