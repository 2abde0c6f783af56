/** Each leg by what its simulation and its landing cost against the quote: on the diagonal the simulation was right. */
import { navigate } from "../../shell/router";
import { dotsOf, type Dot } from "./bars";
import { scale, tickText, ticks } from "./plot";
import type { Leg } from "./shapes";
import { useBoxWidth } from "./useBoxWidth";

const LEFT = 44;
const FOOT = 38;
const WIDE_MAX = 560;
const R = 4;

export function Scatter({ legs }: { legs: readonly Leg[] }) {
  const [box, width] = useBoxWidth<HTMLDivElement>();
  const { dots, span } = dotsOf(legs);
  const wide = Math.min(width, WIDE_MAX);
  const high = Math.round(wide * 0.62);
  const x = scale(span, LEFT, wide - R);
  const y = scale(span, high, R);
  const marks = ticks(span, Math.max(2, Math.floor(wide / 110)));
  return (
    <figure ref={box} className="portfolio-plot">
      {dots.length === 0 && <p className="quiet">Of none of these legs both the simulation and the landing are known on their own.</p>}
      {width > 0 && dots.length > 0 && (
        <svg width={wide} height={high + FOOT} role="img" aria-label={`${dots.length} legs by simulated and landed cost; the table below has each of them`}>
          <g className="portfolio-axis">
            {marks.map((mark) => (
              <g key={mark}>
                <line x1={x(mark)} x2={x(mark)} y1={0} y2={high} className={mark === 0 ? "portfolio-zero" : undefined} />
                <line x1={LEFT} x2={wide} y1={y(mark)} y2={y(mark)} className={mark === 0 ? "portfolio-zero" : undefined} />
                <text x={x(mark)} y={high + 15} textAnchor="middle">
                  {tickText(mark)}
                </text>
                <text x={LEFT - 6} y={y(mark) + 4} textAnchor="end">
                  {tickText(mark)}
                </text>
              </g>
            ))}
            <line className="portfolio-diagonal" x1={x(span[0])} y1={y(span[0])} x2={x(span[1])} y2={y(span[1])} />
            <text x={(LEFT + wide) / 2} y={high + 32} textAnchor="middle">
              quoted → simulated
            </text>
            <text transform={`translate(10 ${high / 2}) rotate(-90)`} textAnchor="middle">
              quoted → landed
            </text>
          </g>
          {dots.map((dot) => (
            <Mark key={dot.id} dot={dot} x={x(dot.x)} y={y(dot.y)} />
          ))}
        </svg>
      )}
      <figcaption>
        The newest {dots.length} measured {dots.length === 1 ? "leg" : "legs"}: circles bought, squares sold. Above the
        dashed diagonal a leg landed worse than it simulated. A click opens the order.
      </figcaption>
    </figure>
  );
}

function Mark({ dot, x, y }: { dot: Dot; x: number; y: number }) {
  const open = () => navigate(`/orders/${dot.orderId}`);
  const said = <title>{`${dot.buy ? "BUY" : "SELL"}: simulated ${tickText(dot.x)} bps, landed ${tickText(dot.y)} bps`}</title>;
  if (dot.buy)
    return (
      <circle className="portfolio-dot" cx={x} cy={y} r={R} onClick={open}>
        {said}
      </circle>
    );
  return (
    <rect className="portfolio-dot" x={x - R} y={y - R} width={2 * R} height={2 * R} onClick={open}>
      {said}
    </rect>
  );
}
