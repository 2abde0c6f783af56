/** What a source sent and the desk did not believe: counts by rule, and the latest messages as they came. */
import { useRejections } from "../../api/queries";
import { dateTime } from "../../format";
import { setQuery } from "../../shell/router";
import { Button, Download, Empty } from "../../ui";
import { Loaded } from "../portfolio/Loaded";
import { Message } from "./RawMessages";
import type { RejectionView } from "./shapes";
import { reason } from "./words";

const EVERY_MS = 5_000;

export function Rejections({ source }: { source: string }) {
  const query = useRejections(source, { everyMs: EVERY_MS });
  return (
    <section className="markets-rejections" aria-label={`Rejected messages of ${source}`}>
      <header>
        <h3>Rejected messages of {source}</h3>
        <span className="markets-actions">
          {query.data && <Download name={`rejections-${source}`} json={query.data} />}
          <Button small onClick={() => setQuery({ source: null })}>
            Close
          </Button>
        </span>
      </header>
      <Loaded query={query} permission="market:read" rows={3}>
        {({ counts, samples }) =>
          Object.keys(counts).length === 0 ? (
            <Empty title={`Nothing of ${source} was rejected since the desk started.`} />
          ) : (
            <>
              <ul className="markets-counts">
                {Object.entries(counts).map(([name, times]) => (
                  <li key={name}>
                    {reason(name)} <b className="num">{times.toLocaleString("en-US")}</b>
                  </li>
                ))}
              </ul>
              <p className="quiet">The latest of each rule, newest first:</p>
              <ol className="markets-samples">
                {[...samples]
                  .sort((a, b) => b.receivedAt.localeCompare(a.receivedAt))
                  .map((sample, index) => (
                    <li key={`${sample.rawId} ${sample.reason} ${sample.symbol} ${index}`}>
                      <Sample sample={sample} />
                    </li>
                  ))}
              </ol>
            </>
          )
        }
      </Loaded>
    </section>
  );
}

function Sample({ sample }: { sample: RejectionView }) {
  return (
    <details>
      <summary>
        <span className="warn">{reason(sample.reason)}</span> {sample.symbol}/{sample.currency}{" "}
        <span className="quiet num">{dateTime(sample.receivedAt)}</span>
      </summary>
      <Message message={{ id: sample.rawId, text: sample.text, base64: sample.base64 }} />
    </details>
  );
}
