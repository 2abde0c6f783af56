/** How the page looks and asks; kept by the desk for the account, so every browser of yours looks alike. */
import { type Settings, useSettings } from "../../api/settings";
import { Banner, Button, Panel, Segmented } from "../../ui";
import { Fact, Facts } from "./parts";

type Choice<K extends keyof Settings, V extends string> = {
  key: K;
  name: string;
  hint: string;
  options: readonly { value: V; label: string }[];
  read: (settings: Settings) => V;
  write: (value: V) => Settings;
};

const choice = <K extends keyof Settings, V extends string>(one: Choice<K, V>) => one as unknown as Choice<keyof Settings, string>;

const CHOICES = [
  choice({
    key: "theme",
    name: "Theme",
    hint: "System follows this machine.",
    options: [
      { value: "system", label: "System" },
      { value: "dark", label: "Dark" },
      { value: "light", label: "Light" },
    ],
    read: (settings) => settings.theme ?? "system",
    write: (theme) => ({ theme }),
  }),
  choice({
    key: "colors",
    name: "Up and down",
    hint: "Words and signs say it too; the second pair is told apart without red and green.",
    options: [
      { value: "normal", label: "Green / red" },
      { value: "color-blind", label: "Blue / orange" },
    ],
    read: (settings) => settings.colors ?? "normal",
    write: (colors) => ({ colors }),
  }),
  choice({
    key: "density",
    name: "Rows",
    hint: "How much stands on one screen.",
    options: [
      { value: "normal", label: "Normal" },
      { value: "compact", label: "Compact" },
    ],
    read: (settings) => settings.density ?? "normal",
    write: (density) => ({ density }),
  }),
  choice({
    key: "confirm",
    name: "Confirm orders",
    hint: "The size is chosen beside the ticket. A price impact of 1 % or more is always asked about.",
    options: [
      { value: "always", label: "Always" },
      { value: "large", label: "Only above a size" },
    ],
    read: (settings) => settings.confirm ?? "always",
    write: (confirm) => ({ confirm }),
  }),
  choice({
    key: "keys",
    name: "Single keys",
    hint: "“/” searches, “g” goes to pages, “?” lists all. Nothing that moves money is a single key.",
    options: [
      { value: "on", label: "On" },
      { value: "off", label: "Off" },
    ],
    read: (settings) => (settings.keys === false ? "off" : "on"),
    write: (keys) => ({ keys: keys === "on" }),
  }),
];

const SAVED = { saved: "Kept by the desk.", saving: "Being saved …", failed: "" } as const;

export function Appearance() {
  const { settings, change, saved } = useSettings();
  return (
    <Panel title="Appearance">
      <Facts>
        {CHOICES.map((one) => (
          <Fact key={one.key} name={one.name}>
            <Segmented label={one.name} options={one.options} value={one.read(settings)} onChange={(value) => change(one.write(value))} />
            <p className="quiet">{one.hint}</p>
          </Fact>
        ))}
        <Fact name="Trade page">
          <Button small onClick={() => change({ layout: {} })}>
            Reset layout
          </Button>
          <p className="quiet">Its borders are moved where they stand; this puts all panels back.</p>
        </Fact>
      </Facts>
      {saved === "failed" ? (
        <Banner kind="warn">The desk did not take this; it holds in this browser until the page is loaded again.</Banner>
      ) : (
        <p className="quiet" role="status">
          {SAVED[saved]}
        </p>
      )}
    </Panel>
  );
}
