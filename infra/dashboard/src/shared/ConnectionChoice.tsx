import FormField from "@cloudscape-design/components/form-field";
import Select from "@cloudscape-design/components/select";
import { texts } from "../texts";
import { useAddress } from "./address";
import type { Connection } from "./connections";

/** A choice among several connections; with one there is nothing to choose. */
export function ConnectionChoice({ all, chosen }: { all: Connection[]; chosen?: Connection }) {
  const { set } = useAddress();
  if (all.length < 2) {
    return null;
  }
  return (
    <FormField label={texts.common.connection}>
      <Select
        selectedOption={chosen ? { value: chosen.id, label: chosen.name } : null}
        options={all.map(({ id, name }) => ({ value: id, label: name }))}
        onChange={({ detail }) => set({ connection: detail.selectedOption.value })}
      />
    </FormField>
  );
}
