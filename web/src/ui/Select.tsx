/** The browser's own select with a label; `hideLabel` keeps the label for ears only. */
import { useId } from "react";
import type { ReactNode, SelectHTMLAttributes } from "react";
import "./ui.css";

export interface SelectProps<V extends string>
  extends Omit<SelectHTMLAttributes<HTMLSelectElement>, "value" | "onChange" | "children"> {
  label: string;
  value: V;
  onChange: (value: V) => void;
  options: readonly { value: V; label: string; disabled?: boolean }[];
  hint?: ReactNode;
  hideLabel?: boolean | undefined;
}

export function Select<V extends string>(props: SelectProps<V>) {
  const { label, value, onChange, options, hint, hideLabel = false, className, ...rest } = props;
  const id = useId();
  return (
    <div className={`ui-field ${className ?? ""}`}>
      <label className={hideLabel ? "sr-only" : "ui-label"} htmlFor={id}>
        {label}
      </label>
      <select
        {...rest}
        id={id}
        className="ui-input ui-select"
        value={value}
        aria-describedby={hint ? `${id}-hint` : undefined}
        onChange={(event) => onChange(event.target.value as V)}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value} disabled={option.disabled}>
            {option.label}
          </option>
        ))}
      </select>
      {hint && (
        <p id={`${id}-hint`} className="ui-hint">
          {hint}
        </p>
      )}
    </div>
  );
}
