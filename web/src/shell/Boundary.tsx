/** Keeps a page's failure to that page: says what it was, and tries again without losing the frame. */
import { Component, type ErrorInfo, type ReactNode } from "react";
import { Button } from "../ui/Button";
import { ErrorBox } from "../ui/ErrorBox";

interface Props {
  /** What is shown; another one forgets the failure. */
  name: string;
  children: ReactNode;
}

export class Boundary extends Component<Props, { error: Error | null }> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(problem: unknown): { error: Error } {
    return { error: problem instanceof Error ? problem : new Error(String(problem)) };
  }

  override componentDidCatch(problem: unknown, info: ErrorInfo): void {
    console.error(`page ${this.props.name}`, problem, info.componentStack);
  }

  override componentDidUpdate(before: Props): void {
    if (before.name !== this.props.name && this.state.error) this.setState({ error: null });
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <div className="ui-page">
        <h1>This page failed</h1>
        <p className="quiet">
          Nothing was sent because of it, and orders go on at the desk. The cause, for a report:
        </p>
        <ErrorBox error={error} onRetry={() => this.setState({ error: null })} />
        <p>
          <Button onClick={() => window.location.reload()}>Load the whole terminal again</Button>
        </p>
      </div>
    );
  }
}
