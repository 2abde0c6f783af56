/** The state of a price or a source: a word, its color, and its meaning on hover. */
import { Chip } from "../../ui";
import type { Word } from "./words";

export function State({ word }: { word: Word }) {
  return (
    <Chip kind={word.tone} title={word.means}>
      {word.text}
    </Chip>
  );
}
