/** A field for a password to be, with its rules beside it before anything is sent. */
import { Field } from "../../ui";
import { RULES, lengthFault } from "./password";

export function NewPassword({ value, onChange, label = "Password" }: { value: string; onChange: (value: string) => void; label?: string }) {
  const fault = value ? lengthFault(value) : null;
  return (
    <>
      <Field
        label={label}
        type="password"
        name="new-password"
        autoComplete="new-password"
        value={value}
        onChange={(event) => onChange(event.target.value)}
        hint={fault}
      />
      <ul className="sign-rules">
        {RULES.map((rule) => (
          <li key={rule}>{rule}</li>
        ))}
      </ul>
    </>
  );
}
