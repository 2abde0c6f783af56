/** Whether the ticket asks before it sends: always, or only above a size; kept with the settings. */
import { useSettings } from "../../api/settings";
import { usd } from "../../format";
import { Menu } from "../../ui";
import { confirmBelow } from "./useTicket";

const SIZES = ["100", "1000", "10000"];

export function ConfirmMenu() {
  const { settings, change } = useSettings();
  const large = settings.confirm === "large";
  const below = confirmBelow(settings);
  const items = [
    {
      id: "always",
      label: "Ask before every order",
      hint: large ? "" : "✓",
      onSelect: () => change({ confirm: "always" }),
    },
    ...SIZES.map((size) => ({
      id: size,
      label: `Ask only above ${usd(size)}`,
      hint: large && below === size ? "✓" : "",
      onSelect: () => change({ confirm: "large", confirmBelowUsd: size }),
    })),
  ];
  const shown = large ? `Asks above ${usd(below)}` : "Always asks";
  return (
    <Menu
      label={`${shown} before sending`}
      className="ui-menu-small"
      items={items}
      head="A price impact of 1 % or more is always asked about."
    >
      {shown}
    </Menu>
  );
}
