/** Ctrl/Cmd+K: go anywhere, or do anything that moves no money, by typing. */
import { useId, useMemo, useState } from "react";
import type { KeyboardEvent } from "react";
import { useMarkets } from "../api/queries";
import { ROUTES, linkOf } from "../routes";
import { Dialog } from "../ui/Dialog";
import { Kbd } from "../ui/Kbd";
import type { Action } from "./actions";
import { type Choice, matching, orderId } from "./choices";
import { useAllowed } from "./Nav";
import { navigate } from "./places";

export interface PaletteProps {
  actions: readonly Action[];
  onClose: () => void;
}

export function Palette({ actions, onClose }: PaletteProps) {
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  const id = useId();
  const all = useChoices(actions);
  const shown = useMemo(() => [...orderChoice(typed), ...matching(all, typed)], [all, typed]);
  const active = Math.min(at, shown.length - 1);
  const take = (choice: Choice | undefined) => {
    if (!choice) return;
    onClose();
    choice.run();
  };
  const move = (event: KeyboardEvent) => {
    const to = { ArrowDown: active + 1, ArrowUp: active - 1 }[event.key];
    if (to !== undefined && shown.length > 0) {
      event.preventDefault();
      const next = (to + shown.length) % shown.length;
      setAt(next);
      document.getElementById(`${id}-${next}`)?.scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter") {
      event.preventDefault();
      take(shown[active]);
    }
  };
  return (
    <Dialog open onClose={onClose} title="Go to or do" className="shell-palette">
      <input
        className="ui-input"
        role="combobox"
        aria-label="Search markets, pages and actions"
        aria-expanded="true"
        aria-controls={`${id}-list`}
        aria-activedescendant={shown[active] ? `${id}-${active}` : undefined}
        aria-autocomplete="list"
        placeholder="A market, a page, an order's id …"
        autoFocus
        autoComplete="off"
        spellCheck={false}
        value={typed}
        onChange={(event) => {
          setTyped(event.target.value);
          setAt(0);
        }}
        onKeyDown={move}
      />
      <div id={`${id}-list`} role="listbox" aria-label="Found" className="shell-choices">
        {shown.map((choice, index) => (
          <div
            key={choice.id}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === active}
            className="shell-choice"
            onPointerMove={() => setAt(index)}
            onClick={() => take(choice)}
          >
            <span>{choice.label}</span>
            <span className="quiet">{choice.hint ? <Kbd>{choice.hint}</Kbd> : choice.group}</span>
          </div>
        ))}
      </div>
      <p className="shell-found quiet" role="status">
        {shown.length === 0 ? "Nothing of that name." : ""}
      </p>
    </Dialog>
  );
}

function useChoices(actions: readonly Action[]): Choice[] {
  const allowed = useAllowed();
  const markets = useMarkets().data?.markets ?? [];
  return [
    ...markets.map(
      ({ pair }): Choice => ({
        id: `market-${pair}`,
        group: "Markets",
        label: pair,
        words: `trade ${pair.replace("-", " ")}`,
        run: () => navigate(`/trade/${encodeURIComponent(pair)}`),
      }),
    ),
    ...ROUTES.filter((route) => route.hotkey && allowed(route)).map(
      (route): Choice => ({
        id: route.path,
        group: "Pages",
        label: route.title,
        hint: `g ${route.hotkey}`,
        run: () => navigate(linkOf(route)),
      }),
    ),
    ...actions.map(
      ({ id, label, hint, run }): Choice => ({ id, group: "Actions", label, run, ...(hint ? { hint } : {}) }),
    ),
  ];
}

function orderChoice(typed: string): Choice[] {
  const found = orderId(typed);
  if (!found) return [];
  return [{ id: "order", group: "Orders", label: `Order ${found}`, run: () => navigate(`/orders/${found}`) }];
}
