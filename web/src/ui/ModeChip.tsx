/** Whose money this is: the server's word, in text, color and (on paper) stripes. */
import { useSystem } from "../api/queries";
import { modeWord } from "./mode";
import "./ui.css";

export function ModeChip() {
  const { data, error } = useSystem();
  const mode = data?.mode;
  const word = modeWord(mode);
  return (
    <span
      className={`ui-mode ui-mode-${word.kind}`}
      title={mode ? `${word.means} (${mode})` : (error?.message ?? "the desk has not said yet")}
      data-mode={mode}
    >
      <span className="sr-only">Mode: </span>
      {word.text}
    </span>
  );
}
