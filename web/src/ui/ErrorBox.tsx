/** What went wrong: the server's sentence, its code, the request's id to quote, and a way on. */
import type { ApiError } from "../api/client";
import { Button } from "./Button";
import { Copy } from "./Copy";
import "./ui.css";

export interface ErrorBoxProps {
  error: ApiError | Error | null | undefined;
  onRetry?: (() => void) | undefined;
  title?: string | undefined;
}

type Told = Error & Partial<Pick<ApiError, "code" | "detail" | "requestId" | "retryAfterS">>;

export function ErrorBox({ error, onRetry, title }: ErrorBoxProps) {
  if (!error) return null;
  const { code, detail, requestId, retryAfterS, message } = error as Told;
  return (
    <div className="ui-errorbox" role="alert">
      {title && <p className="ui-errorbox-title">{title}</p>}
      <p>{detail || message || "Something failed and gave no reason."}</p>
      <p className="ui-errorbox-more">
        {code && <code>{code}</code>}
        {requestId && <Copy text={requestId} label={`request ${requestId.slice(0, 8)}`} />}
        {retryAfterS ? <span>again in {retryAfterS} s</span> : null}
        {onRetry && (
          <Button small onClick={onRetry}>
            Try again
          </Button>
        )}
      </p>
    </div>
  );
}
