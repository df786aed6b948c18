import BarChart from "@cloudscape-design/components/bar-chart";
import type { Amount } from "../api/client";
import { texts } from "../texts";
import { count, money, NOTHING } from "./format";

export interface Bar {
  label: string;
  amount: Amount;
}

const HEIGHT_PIXELS = 200;

/** Amounts of one currency as bars; the exact figures stand beside them in a table. */
export default function Bars({ title, bars }: { title: string; bars: Bar[] }) {
  // A bar is as high as its number allows; what is read is the API's own text.
  const heights = bars.map(({ label, amount }) => ({ x: label, y: Number(amount.display) }));
  const written = (height: number) => {
    const bar = bars.find(({ amount }) => Number(amount.display) === height);
    return bar ? money(bar.amount) : NOTHING;
  };
  return (
    <BarChart
      series={[{ title, type: "bar", data: heights, valueFormatter: written }]}
      height={HEIGHT_PIXELS}
      hideFilter
      hideLegend
      ariaLabel={title}
      xScaleType="categorical"
      yTickFormatter={count}
      empty={texts.overview.nothing}
    />
  );
}
