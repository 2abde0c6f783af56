/** Every event of an order with its time and the time since the one before. */
import { age, price, utc } from "../../format";
import { plain } from "./amounts";
import { stageWords } from "./orderWords";
import type { OrderEvent } from "./shapes";

export function StageLog({ logs }: { logs: readonly OrderEvent[] }) {
  return (
    <details className="trade-log">
      <summary>{logs.length} events</summary>
      <div className="trade-quotes-scroll">
        <table className="trade-quotes">
          <caption className="sr-only">Events</caption>
          <thead>
            <tr>
              <th scope="col">Version</th>
              <th scope="col">Stage</th>
              <th scope="col">At</th>
              <th scope="col" className="trade-right">
                After
              </th>
              <th scope="col" className="trade-right">
                Price
              </th>
              <th scope="col">What</th>
            </tr>
          </thead>
          <tbody>
            {logs.map((event, index) => (
              <tr key={event.version}>
                <td className="num">{event.version}</td>
                <th scope="row">{event.status}</th>
                <td className="num" title={event.timestamp}>
                  {utc(event.timestamp)}
                </td>
                <td className="trade-right num">{index === 0 ? "" : since(logs[index - 1]!, event)}</td>
                <td className="trade-right num">{event.executionPrice == null ? "" : price(plain(event.executionPrice))}</td>
                <td>{stageWords(event)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

function since(before: OrderEvent, event: OrderEvent): string {
  const ms = Date.parse(event.timestamp) - Date.parse(before.timestamp);
  return ms < 1_000 ? `+${ms} ms` : `+${age(ms)}`;
}
