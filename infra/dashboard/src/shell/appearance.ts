import { applyDensity, applyMode, Density, Mode } from "@cloudscape-design/global-styles";
import { useEffect, useState } from "react";

export const COLORS = ["system", "light", "dark"] as const;
export const DENSITIES = ["comfortable", "compact"] as const;
export type Color = (typeof COLORS)[number];
export type DensityName = (typeof DENSITIES)[number];

const darkDevice = window.matchMedia("(prefers-color-scheme: dark)");

/** Colors and density, kept in this browser; colors follow the device unless told otherwise. */
export function useAppearance() {
  const [color, setColor] = useKept("color", COLORS);
  const [density, setDensity] = useKept("density", DENSITIES);
  useEffect(() => {
    const apply = () => {
      const isDark = color === "dark" || (color === "system" && darkDevice.matches);
      applyMode(isDark ? Mode.Dark : Mode.Light);
    };
    apply();
    darkDevice.addEventListener("change", apply);
    return () => darkDevice.removeEventListener("change", apply);
  }, [color]);
  useEffect(() => {
    applyDensity(density === "compact" ? Density.Compact : Density.Comfortable);
  }, [density]);
  return { color, setColor, density, setDensity };
}

function useKept<T extends string>(name: string, choices: readonly T[]): [T, (choice: T) => void] {
  const kept = localStorage.getItem(name);
  const [choice, setChoice] = useState(choices.find((each) => each === kept) ?? (choices[0] as T));
  const keep = (chosen: T) => {
    localStorage.setItem(name, chosen);
    setChoice(chosen);
  };
  return [choice, keep];
}
