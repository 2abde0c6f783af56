/** What the palette offers for what was typed. Pure. */

export interface Choice {
  id: string;
  group: "Pages" | "Markets" | "Orders" | "Actions";
  label: string;
  /** Other words it is found by. */
  words?: string;
  hint?: string;
  run: () => void;
}

const SHOWN_MAX = 40;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Return those that hold every typed word, whose label begins with the text first. */
export function matching(choices: readonly Choice[], typed: string): Choice[] {
  const text = typed.trim().toLowerCase();
  const words = text.split(/\s+/).filter(Boolean);
  const found = choices.filter((choice) => {
    const told = `${choice.label} ${choice.words ?? ""} ${choice.group}`.toLowerCase();
    return words.every((word) => told.includes(word));
  });
  const rank = (choice: Choice) => (text && choice.label.toLowerCase().startsWith(text) ? 0 : 1);
  return found
    .map((choice, at) => ({ choice, at }))
    .sort((a, b) => rank(a.choice) - rank(b.choice) || a.at - b.at)
    .slice(0, SHOWN_MAX)
    .map(({ choice }) => choice);
}

/** Return the order's id if that is what was typed. */
export function orderId(typed: string): string | null {
  const text = typed.trim();
  return UUID.test(text) ? text.toLowerCase() : null;
}
