/** Email and password: signing in, a new account, a forgotten password. Answers never say who has an account. */
import { useState, type FormEvent } from "react";
import { api, type Schema } from "../../api/client";
import { Banner, Button, Field, Segmented } from "../../ui";
import { Cause } from "./Cause";
import { NewPassword } from "./NewPassword";
import type { Answer } from "./SignIn";
import { lengthFault } from "./password";
import { useTry } from "./useTry";

type Way = "login" | "register" | "forgot";

const WAYS: readonly { value: Way; label: string }[] = [
  { value: "login", label: "Sign in" },
  { value: "register", label: "New account" },
  { value: "forgot", label: "Forgotten" },
];
const VERBS: Record<Way, string> = { login: "Sign in", register: "Make an account", forgot: "Send a letter" };

export function Email({ onEntered }: { onEntered: (answer: Answer) => Promise<void> }) {
  const [way, setWay] = useState<Way>("login");
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [told, setTold] = useState<string | null>(null);
  const { busy, error, run, clear } = useTry();
  const ready = email.includes("@") && (way === "forgot" || (way === "login" ? password !== "" : lengthFault(password) === null));
  const send: Record<Way, () => Promise<void>> = {
    login: async () => onEntered(await api.post<Answer>("/api/auth/login", { email, password, cookie: true })),
    register: async () => setTold((await api.post<Schema<"ToldView">>("/api/auth/register", { email, password })).message),
    forgot: async () => setTold((await api.post<Schema<"ToldView">>("/api/auth/reset", { email })).message),
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTold(null);
    if (ready) void run(send[way]);
  };
  const turn = (next: Way) => {
    clear();
    setTold(null);
    setPassword("");
    setWay(next);
  };
  return (
    <form onSubmit={submit} className="sign-form">
      <Segmented label="What to do" value={way} onChange={turn} options={WAYS} />
      <Field
        label="Email"
        type="email"
        name="email"
        autoComplete="username"
        maxLength={254}
        value={email}
        onChange={(event) => setEmail(event.target.value)}
      />
      {way === "login" && (
        <Field
          label="Password"
          type="password"
          name="password"
          autoComplete="current-password"
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
      )}
      {way === "register" && <NewPassword value={password} onChange={setPassword} />}
      {told && <Letter told={told} />}
      <Cause error={error} />
      <Button type="submit" kind="primary" busy={busy} disabled={!ready}>
        {VERBS[way]}
      </Button>
    </form>
  );
}

function Letter({ told }: { told: string }) {
  return (
    <Banner kind="info">
      <p>{told.charAt(0).toUpperCase() + told.slice(1)}.</p>
      <p className="quiet">
        A desk without a mail server keeps its letters as files, in <code>mail</code> of its data folder.
      </p>
    </Banner>
  );
}
