/** The messages behind a price exactly as they came; shown as text, never run. */
import { usePriceRaw, useRaw } from "../../api/queries";
import { setQuery } from "../../shell/router";
import { Button, Copy, Dialog, Empty, ErrorBox, Skeleton } from "../../ui";
import { Loaded } from "../portfolio/Loaded";
import { pretty } from "./pretty";
import type { RawView } from "./shapes";

export function RawMessages({ symbol }: { symbol: string }) {
  const query = usePriceRaw(symbol);
  return (
    <Loaded query={query} permission="market:read" rows={4}>
      {({ messages }) =>
        messages.length === 0 ? (
          <Empty title="None of its messages is kept any more.">
            <Button small onClick={() => void query.refetch()}>
              Read those of now
            </Button>
          </Empty>
        ) : (
          <>
            {messages.map((message) => (
              <Message key={message.id} message={message} />
            ))}
            <Button small busy={query.isFetching} onClick={() => void query.refetch()}>
              Read those of now
            </Button>
          </>
        )
      }
    </Loaded>
  );
}

/** One message by its name, above the page. */
export function RawOpen({ id }: { id: string }) {
  const { data, error, refetch } = useRaw(id);
  return (
    <Dialog open wide title="Message as it came" onClose={() => setQuery({ raw: null })}>
      {data ? <Message message={data} /> : error ? <ErrorBox error={error} onRetry={() => void refetch()} /> : <Skeleton rows={4} />}
    </Dialog>
  );
}

export function Message({ message }: { message: RawView }) {
  const text = message.text ?? message.base64 ?? "";
  return (
    <figure className="markets-message">
      <figcaption>
        <code>{message.id}</code>
        {message.text === null && <span className="quiet"> not text: base64</span>}
        <Copy text={text} label="message" />
      </figcaption>
      <pre tabIndex={0}>{message.text === null ? text : pretty(text)}</pre>
    </figure>
  );
}
