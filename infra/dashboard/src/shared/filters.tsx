import DatePicker from "@cloudscape-design/components/date-picker";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import Select from "@cloudscape-design/components/select";
import { useState } from "react";
import { texts } from "../texts";
import { useAddress } from "./address";

/** A text that is looked for once it is typed: by Enter, the button, or leaving the field. */
export function TypedFilter({ name, placeholder }: { name: string; placeholder: string }) {
  const { get, set } = useAddress();
  const current = get(name) ?? "";
  const [typed, setTyped] = useState(current);
  const [shown, setShown] = useState(current);
  if (shown !== current) {
    // The address changed otherwise, such as by going back.
    setShown(current);
    setTyped(current);
  }
  const search = (text: string) => {
    if (text.trim() !== current) set({ [name]: text.trim() });
  };
  return (
    <Input
      type="search"
      value={typed}
      placeholder={placeholder}
      onChange={({ detail }) => {
        setTyped(detail.value);
        if (detail.value === "") search("");
      }}
      onKeyDown={({ detail }) => detail.key === "Enter" && search(typed)}
      onBlur={() => search(typed)}
    />
  );
}

/** A calendar day; `usual` is the one that holds until another one is chosen. */
export function DateFilter({ name, usual = "" }: { name: string; usual?: string }) {
  const { get, set } = useAddress();
  return (
    <DatePicker
      value={get(name) ?? usual}
      placeholder={texts.invoices.dateHint}
      format="iso"
      openCalendarAriaLabel={() => texts.invoices.dateHint}
      onChange={({ detail }) => {
        if (detail.value === "" || /^\d{4}-\d{2}-\d{2}$/.test(detail.value)) {
          set({ [name]: detail.value });
        }
      }}
    />
  );
}

/** One of some values, by their texts; the first choice is all of them. */
export function ChoiceFilter(props: {
  name: string;
  label: string;
  choices: Readonly<Record<string, string>>;
}) {
  const { get, set } = useAddress();
  const all = { value: "", label: texts.common.all };
  const each = Object.entries(props.choices).map(([value, label]) => ({ value, label }));
  const options = [all, ...each];
  return (
    <FormField label={props.label}>
      <Select
        selectedOption={options.find(({ value }) => value === get(props.name)) ?? all}
        options={options}
        onChange={({ detail }) => set({ [props.name]: detail.selectedOption.value })}
      />
    </FormField>
  );
}
