/** /sign-in, /verify and /reset: everything a person sees before the desk knows them. */
import { useRoute } from "../../shell/router";
import Reset from "./Reset";
import SignIn from "./SignIn";
import Verify from "./Verify";
import "./sign-in.css";

const PLACES: Record<string, () => React.ReactNode> = {
  "/verify": () => <Verify />,
  "/reset": () => <Reset />,
};

export default function Page() {
  const { path } = useRoute();
  return PLACES[path]?.() ?? <SignIn />;
}
