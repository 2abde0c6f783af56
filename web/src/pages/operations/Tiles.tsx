/** The tiles: value, threshold and age of each; color only repeats what the word says. */
import { Age, Chip, type ChipKind } from "../../ui";
import type { Level, Tile } from "./tiles";

const SAID: Record<Level, { kind: ChipKind; word: string }> = {
  good: { kind: "good", word: "well" },
  warn: { kind: "warn", word: "look" },
  bad: { kind: "bad", word: "act" },
  unknown: { kind: "quiet", word: "unknown" },
};
const STALE_MS = 10_000;

export interface TilesProps {
  tiles: readonly Tile[];
  at: string;
  late: boolean;
}

export function Tiles({ tiles, at, late }: TilesProps) {
  return (
    <ul className="operations-tiles">
      {tiles.map((tile) => (
        <li key={tile.id} className={`operations-tile operations-${tile.level}`}>
          <div className="operations-tile-head">
            <h3>{tile.label}</h3>
            <Chip kind={late ? "quiet" : SAID[tile.level].kind}>{late ? "old" : SAID[tile.level].word}</Chip>
          </div>
          <p className="operations-value num">{tile.value}</p>
          <p className="operations-held">
            <span>
              <span className="quiet">held against: </span>
              {tile.threshold}
            </span>
            <span className="quiet">
              read <Age at={at} staleMs={STALE_MS} /> ago
            </span>
          </p>
          {tile.note && <p className="quiet operations-note">{tile.note}</p>}
        </li>
      ))}
    </ul>
  );
}
