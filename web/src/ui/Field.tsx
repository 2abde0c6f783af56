/** A labelled input, or the label, hint and error of the one control given as its child. */
import { cloneElement, useId } from "react";
import type { InputHTMLAttributes, ReactElement, ReactNode, Ref } from "react";
import "./ui.css";

export interface FieldProps extends Omit<InputHTMLAttributes<HTMLInputElement>, "children"> {
  label: ReactNode;
  error?: ReactNode;
  hint?: ReactNode;
  unit?: ReactNode;
  children?: ReactElement<Record<string, unknown>> | undefined;
  ref?: Ref<HTMLInputElement>;
}

export function Field({ label, error, hint, unit, children, className, id, ...input }: FieldProps) {
  const own = useId();
  const control = id ?? own;
  const says = [hint ? `${control}-hint` : "", error ? `${control}-error` : ""].filter(Boolean).join(" ");
  const ties = {
    id: control,
    "aria-describedby": says || undefined,
    "aria-invalid": error ? (true as const) : undefined,
  };
  return (
    <div className={`ui-field ${className ?? ""}`}>
      <label className="ui-label" htmlFor={control}>
        {label}
      </label>
      <div className="ui-control">
        {children ? cloneElement(children, ties) : <input {...input} {...ties} className="ui-input" />}
        {unit && <span className="ui-unit">{unit}</span>}
      </div>
      {hint && (
        <p id={`${control}-hint`} className="ui-hint">
          {hint}
        </p>
      )}
      {error && (
        <p id={`${control}-error`} className="ui-error" role="alert">
          {error}
        </p>
      )}
    </div>
  );
}
