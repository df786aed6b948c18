import Box from "@cloudscape-design/components/box";
import Container from "@cloudscape-design/components/container";
import DatePicker from "@cloudscape-design/components/date-picker";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Wizard from "@cloudscape-design/components/wizard";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useLocation } from "wouter";
import { ApiError, contentOf, type Schemas, useApi } from "../api/client";
import { useRead } from "../shared/change";
import { Failure } from "../shared/Failure";
import { useNotify } from "../shared/notices";
import { checked, RightsTable } from "../shared/Rights";
import { Loaded } from "../shared/record";
import { CopiedId } from "../shared/values";
import { texts } from "../texts";

const words = texts.connect;
const EMPTY = { company_id: "", public_key: "", private_key: "", site_url: "", date_from: "" };
const REQUIRED = ["company_id", "public_key", "private_key"] as const;
const KEYS_STEP = 1;

type FormValues = typeof EMPTY;

/** The guide's steps, from the security role to the import. */
export default function Connect() {
  const [, navigate] = useLocation();
  const [step, setStep] = useState(0);
  const [form, setForm] = useState(EMPTY);
  const [isTried, setTried] = useState(false);
  const requirements = useRequirements();
  const connect = useConnecting();
  const isFilled = REQUIRED.every((name) => form[name].trim() !== "");
  const change = (part: Partial<FormValues>) => setForm({ ...form, ...part });
  const goTo = (wanted: number) => {
    setTried(step === KEYS_STEP);
    setStep(wanted > KEYS_STEP && !isFilled ? KEYS_STEP : wanted);
  };
  return (
    <Wizard
      activeStepIndex={step}
      isLoadingNextStep={connect.isPending}
      onNavigate={({ detail }) => goTo(detail.requestedStepIndex)}
      onCancel={() => navigate("/connections")}
      onSubmit={() => connect.mutate(form)}
      submitButtonText={words.submit}
      i18nStrings={{
        stepNumberLabel: (number) => `${words.step} ${number}`,
        collapsedStepsLabel: (number, count) => `${words.step} ${number} / ${count}`,
        nextButton: words.next,
        previousButton: words.previous,
        cancelButton: texts.common.cancel,
      }}
      steps={[
        {
          title: words.steps.rights,
          description: words.rightsAbout,
          content: (
            <Loaded query={requirements}>{({ rights }) => <RightsTable rights={rights} />}</Loaded>
          ),
        },
        {
          title: words.steps.keys,
          description: words.keysAbout,
          content: (
            <Keys
              form={form}
              onChange={change}
              isTried={isTried}
              addresses={requirements.data?.egress_addresses ?? []}
            />
          ),
        },
        {
          title: words.steps.filters,
          description: words.filtersAbout,
          content: (
            <Container>
              <FormField label={words.dateFrom} description={words.dateFromAbout}>
                <DatePicker
                  value={form.date_from}
                  placeholder={texts.invoices.dateHint}
                  format="iso"
                  openCalendarAriaLabel={() => words.dateFrom}
                  onChange={({ detail }) => change({ date_from: detail.value })}
                />
              </FormField>
            </Container>
          ),
        },
        {
          title: words.steps.done,
          content: (
            <SpaceBetween size="l">
              {connect.error && (
                <Refusal error={connect.error} rights={requirements.data?.rights ?? []} />
              )}
              <Container>{words.doneAbout}</Container>
            </SpaceBetween>
          ),
        },
      ]}
    />
  );
}

const FIELDS = [
  { name: "company_id", label: words.companyId, about: words.companyIdAbout },
  { name: "public_key", label: words.publicKey },
  { name: "private_key", label: words.privateKey, about: words.privateKeyAbout },
  { name: "site_url", label: words.siteUrl, about: words.siteUrlAbout },
] as const;

function Keys(props: {
  form: FormValues;
  onChange: (part: Partial<FormValues>) => void;
  isTried: boolean;
  addresses: string[];
}) {
  const { form, onChange, isTried, addresses } = props;
  const isMissing = (name: string) =>
    isTried && REQUIRED.some((each) => each === name && form[each].trim() === "");
  return (
    <Container>
      <SpaceBetween size="l">
        {FIELDS.map(({ name, label, ...field }) => (
          <FormField
            key={name}
            label={label}
            description={"about" in field ? field.about : undefined}
            errorText={isMissing(name) ? words.required : undefined}
          >
            <Input
              value={form[name]}
              type={name === "private_key" ? "password" : "text"}
              autoComplete={false}
              spellcheck={false}
              onChange={({ detail }) => onChange({ [name]: detail.value })}
            />
          </FormField>
        ))}
        <div>
          <Box>{words.addresses}</Box>
          <SpaceBetween size="xxs">
            {addresses.map((address) => (
              <CopiedId key={address} id={address} />
            ))}
          </SpaceBetween>
        </div>
      </SpaceBetween>
    </Container>
  );
}

/** Why ConnectWise was not connected, with a checklist where rights are the reason. */
function Refusal({ error, rights }: { error: Error; rights: Schemas["RightView"][] }) {
  const missing = error instanceof ApiError ? error.problem.missing_rights : undefined;
  return (
    <SpaceBetween size="s">
      <Failure error={error} />
      {Array.isArray(missing) && (
        <>
          <Box>{words.missing}</Box>
          <RightsTable rights={checked(rights, missing)} />
        </>
      )}
    </SpaceBetween>
  );
}

const useRequirements = () =>
  useRead(["requirements"], (api) => api.GET("/v1/connection-requirements"));

function useConnecting() {
  const api = useApi();
  const notify = useNotify();
  const queries = useQueryClient();
  const [, navigate] = useLocation();
  return useMutation({
    mutationFn: (form: FormValues) =>
      contentOf(api.POST("/v1/connections", { body: connectInput(form) })),
    onSuccess: async ({ id }) => {
      notify("success", words.success);
      await queries.invalidateQueries({ queryKey: ["connections"] });
      navigate(`/connections/${id}`);
    },
  });
}

/** What is left empty is left out, so that a company connected before keeps its filters. */
export function connectInput(form: FormValues): Schemas["ConnectInput"] {
  const { date_from, site_url, ...keys } = form;
  const trimmed = Object.entries(keys).map(([name, value]) => [name, value.trim()]);
  return {
    ...Object.fromEntries(trimmed),
    ...(site_url.trim() && { site_url: site_url.trim() }),
    ...(date_from && { filters: { invoices: { date_from } } }),
  };
}
