import SegmentedControl from "@cloudscape-design/components/segmented-control";
import type { ReactNode } from "react";
import { useAddress } from "../shared/address";
import { texts } from "../texts";
import { BookedPayments } from "./BookedPayments";
import { CollectedPayments } from "./CollectedPayments";

const words = texts.payments;
const VIEWS = ["booked", "collected"] as const;

/** Payments of both directions: what stands in ConnectWise, and what the platform collected. */
export default function Payments() {
  const { get, set } = useAddress();
  const view = VIEWS.find((each) => each === get("view")) ?? "booked";
  const choice: ReactNode = (
    <SegmentedControl
      label={words.view}
      selectedId={view}
      options={VIEWS.map((id) => ({ id, text: words.views[id] }))}
      onChange={({ detail }) => set({ view: detail.selectedId })}
    />
  );
  return view === "booked" ? (
    <BookedPayments choice={choice} />
  ) : (
    <CollectedPayments choice={choice} />
  );
}
