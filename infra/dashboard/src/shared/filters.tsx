import DatePicker from "@cloudscape-design/components/date-picker";
import Input from "@cloudscape-design/components/input";
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

export function DateFilter({ name }: { name: string }) {
  const { get, set } = useAddress();
  return (
    <DatePicker
      value={get(name) ?? ""}
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
