/** One of a few, all in sight: radio buttons drawn as one bar (arrows move, as radios do). */
import { useId } from "react";
import type { ReactNode } from "react";
import "./ui.css";

export interface SegmentedProps<V extends string> {
  label: string;
  value: V;
  onChange: (value: V) => void;
  options: readonly { value: V; label: ReactNode; disabled?: boolean; kind?: "buy" | "sell" }[];
  className?: string | undefined;
}

export function Segmented<V extends string>({ label, value, onChange, options, className }: SegmentedProps<V>) {
  const name = useId();
  return (
    <fieldset className={`ui-segmented ${className ?? ""}`}>
      <legend className="sr-only">{label}</legend>
      {options.map((option) => (
        <label key={option.value} className={`ui-segment ${option.kind ? `ui-segment-${option.kind}` : ""}`}>
          <input
            type="radio"
            name={name}
            className="sr-only"
            value={option.value}
            checked={option.value === value}
            disabled={option.disabled}
            onChange={() => onChange(option.value)}
          />
          <span>{option.label}</span>
        </label>
      ))}
    </fieldset>
  );
}
