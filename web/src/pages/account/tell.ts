/** Saying on the page what the desk said. */
import { toast } from "../../ui";

/** Return what shows an answer's own words; `id` is the note's, so that a second one takes its place. */
export const told = (id: string) => (answer: { message: string }) =>
  toast(`account-${id}`, { kind: "good", title: answer.message.charAt(0).toUpperCase() + answer.message.slice(1) });

export const done = (id: string, title: string) => () => toast(`account-${id}`, { kind: "good", title });
