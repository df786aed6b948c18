import Alert from "@cloudscape-design/components/alert";
import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import DatePicker from "@cloudscape-design/components/date-picker";
import FormField from "@cloudscape-design/components/form-field";
import Header from "@cloudscape-design/components/header";
import Input from "@cloudscape-design/components/input";
import Multiselect from "@cloudscape-design/components/multiselect";
import SpaceBetween from "@cloudscape-design/components/space-between";
import { useState } from "react";
import { useParams } from "wouter";
import { contentOf, type Schemas } from "../api/client";
import { useChange, useRead } from "../shared/change";
import { useConnection } from "../shared/connections";
import { count, money } from "../shared/format";
import { Panel } from "../shared/Panel";
import { addedPreview, allParts, type Preview } from "../shared/parts";
import { Loaded } from "../shared/record";
import { texts } from "../texts";
import { Archivings } from "./Archivings";

type Filters = Schemas["FiltersView"];
type Choices = Schemas["FilterChoicesView"];
type ChoiceList = Schemas["ChoiceListView"];

const words = texts.filters;

export default function FiltersScreen() {
  const { id } = useParams<{ id: string }>();
  const connection = useConnection(id);
  const choices = useChoices(id);
  return (
    <Loaded query={connection}>
      {({ name, filters }) => (
        <SpaceBetween size="l">
          <Header variant="h1" description={words.about}>
            {words.title}: {name}
          </Header>
          <Loaded query={choices}>
            {(known) => <FiltersForm id={id} saved={filters} choices={known} />}
          </Loaded>
        </SpaceBetween>
      )}
    </Loaded>
  );
}

function FiltersForm({ id, saved, choices }: { id: string; saved: Filters; choices: Choices }) {
  const [filters, setFilters] = useState(saved);
  const { preview, save } = useChanges(id);
  const customers = (part: Partial<Filters["customers"]>) =>
    setFilters({ ...filters, customers: { ...filters.customers, ...part } });
  const invoices = (part: Partial<Filters["invoices"]>) =>
    setFilters({ ...filters, invoices: { ...filters.invoices, ...part } });
  return (
    <SpaceBetween size="l">
      <CustomerFields filters={filters.customers} choices={choices} onChange={customers} />
      <InvoiceFields filters={filters.invoices} choices={choices} onChange={invoices} />
      <SpaceBetween direction="horizontal" size="s">
        <Button loading={preview.isPending} onClick={() => preview.mutate(filters)}>
          {words.preview}
        </Button>
        <Button variant="primary" loading={save.isPending} onClick={() => save.mutate(filters)}>
          {words.save}
        </Button>
      </SpaceBetween>
      {preview.data && <PreviewResult preview={preview.data} />}
      <Archivings connection={id} />
    </SpaceBetween>
  );
}

function CustomerFields(props: {
  filters: Filters["customers"];
  choices: Choices;
  onChange: (part: Partial<Filters["customers"]>) => void;
}) {
  const { filters, choices, onChange } = props;
  return (
    <Panel title={words.customers}>
      <SpaceBetween size="m">
        <Chosen
          label={words.statuses}
          list={choices.company_statuses}
          ids={filters.status_ids}
          onChange={(status_ids) => onChange({ status_ids })}
        />
        <Chosen
          label={words.types}
          list={choices.company_types}
          ids={filters.type_ids}
          onChange={(type_ids) => onChange({ type_ids })}
        />
        <Chosen
          label={words.territories}
          list={choices.territories}
          ids={filters.territory_ids}
          onChange={(territory_ids) => onChange({ territory_ids })}
        />
      </SpaceBetween>
    </Panel>
  );
}

function InvoiceFields(props: {
  filters: Filters["invoices"];
  choices: Choices;
  onChange: (part: Partial<Filters["invoices"]>) => void;
}) {
  const { filters, choices, onChange } = props;
  const types = choices.invoice_types.map((value) => ({
    value: value as string,
    label: texts.invoices.types[value],
  }));
  const agreements = choices.agreement_types.items.map(({ name }) => ({
    value: name,
    label: name,
  }));
  return (
    <Panel title={words.invoices}>
      <SpaceBetween size="m">
        <Picked
          label={words.invoiceTypes}
          options={types}
          values={filters.types}
          onChange={(values) =>
            onChange({ types: choices.invoice_types.filter((type) => values.includes(type)) })
          }
        />
        <Chosen
          label={words.billingStatuses}
          list={choices.billing_statuses}
          ids={filters.billing_status_ids}
          onChange={(billing_status_ids) => onChange({ billing_status_ids })}
        />
        <Chosen
          label={words.locations}
          list={choices.locations}
          ids={filters.location_ids}
          onChange={(location_ids) => onChange({ location_ids })}
        />
        <Chosen
          label={words.departments}
          list={choices.departments}
          ids={filters.department_ids}
          onChange={(department_ids) => onChange({ department_ids })}
        />
        <Picked
          label={words.agreementTypes}
          options={agreements}
          missingRights={choices.agreement_types.missing_rights}
          values={filters.agreement_types}
          onChange={(agreement_types) => onChange({ agreement_types })}
        />
        <FormField label={words.dateFrom}>
          <DatePicker
            value={filters.date_from ?? ""}
            placeholder={texts.invoices.dateHint}
            format="iso"
            openCalendarAriaLabel={() => words.dateFrom}
            onChange={({ detail }) => onChange({ date_from: detail.value || null })}
          />
        </FormField>
        <FormField label={words.minimumBalance}>
          <Input
            value={filters.minimum_balance ?? ""}
            inputMode="decimal"
            onChange={({ detail }) => onChange({ minimum_balance: detail.value.trim() || null })}
          />
        </FormField>
      </SpaceBetween>
    </Panel>
  );
}

/** A filter by ids, which are chosen by their names. */
function Chosen(props: {
  label: string;
  list: ChoiceList;
  ids: number[];
  onChange: (ids: number[]) => void;
}) {
  const { list, ids } = props;
  const options = list.items.map(({ id, name }) => ({ value: String(id), label: name }));
  return (
    <Picked
      label={props.label}
      options={options}
      missingRights={list.missing_rights}
      values={ids.map(String)}
      onChange={(values) => props.onChange(values.map(Number))}
    />
  );
}

function Picked(props: {
  label: string;
  options: { value: string; label: string }[];
  missingRights?: string[];
  values: string[];
  onChange: (values: string[]) => void;
}) {
  const { options, values, missingRights = [] } = props;
  // A saved value that ConnectWise lists no more stays chosen, by its id.
  const selected = values.map(
    (value) => options.find((each) => each.value === value) ?? { value, label: value },
  );
  return (
    <FormField
      label={props.label}
      warningText={missingRights.length ? `${words.denied} ${missingRights.join(", ")}` : undefined}
    >
      <Multiselect
        options={options}
        selectedOptions={selected}
        placeholder={words.choose}
        filteringType="auto"
        onChange={({ detail }) =>
          props.onChange(detail.selectedOptions.flatMap(({ value }) => value ?? []))
        }
      />
    </FormField>
  );
}

function PreviewResult({ preview }: { preview: Preview }) {
  return (
    <Alert type="info" header={words.result}>
      {(["customers", "invoices"] as const).map((kind) => (
        <Effect key={kind} title={words[kind]} effect={preview[kind]} />
      ))}
    </Alert>
  );
}

function Effect({ title, effect }: { title: string; effect: Schemas["EffectView"] }) {
  const parts = [
    `${count(effect.leaving)} ${words.leaving}`,
    `${count(effect.returning)} ${words.entering}`,
    `${count(effect.staying)} ${words.keeping}`,
  ];
  return (
    <Box>
      <strong>{title}:</strong> {parts.join(", ")}.
      {effect.in_connectwise !== null && ` ${count(effect.in_connectwise)} ${words.inConnectWise}`}
      {effect.leaving_balances.map((balance) => (
        <Box key={balance.currency} className="figures">
          {money(balance)} {words.leaving}
        </Box>
      ))}
      <Samples label={words.leaving} samples={effect.leaving_samples} />
      <Samples label={words.entering} samples={effect.returning_samples} />
    </Box>
  );
}

function Samples({ label, samples }: { label: string; samples: Schemas["SampleView"][] }) {
  if (samples.length === 0) {
    return null;
  }
  return (
    <div>
      {words.samples} {label}: {samples.map((each) => each.label).join(", ")}
    </div>
  );
}

const useChoices = (id: string) =>
  useRead(["filter-choices", id], (api) =>
    api.GET("/v1/connections/{connection_id}/filter-choices", {
      params: { path: { connection_id: id } },
    }),
  );

function useChanges(id: string) {
  const path = { connection_id: id };
  const preview = useChange((api, body: Filters) =>
    allParts(
      (cursor) =>
        contentOf(
          api.POST("/v1/connections/{connection_id}/filters/preview", {
            params: { path, query: { cursor } },
            body,
          }),
        ),
      addedPreview,
    ),
  );
  const save = useChange(
    (api, body: Filters) =>
      contentOf(api.PUT("/v1/connections/{connection_id}/filters", { params: { path }, body })),
    { told: () => words.saved },
  );
  return { preview, save };
}
