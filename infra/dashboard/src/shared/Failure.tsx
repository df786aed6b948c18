import Alert from "@cloudscape-design/components/alert";
import Button from "@cloudscape-design/components/button";
import { ApiError } from "../api/client";
import { texts } from "../texts";

/** What went wrong, as a sentence, with the way to try again. */
export function Failure({ error, onRetry }: { error: Error; onRetry?: () => void }) {
  const request = error instanceof ApiError ? error.problem.instance : undefined;
  const title = error instanceof ApiError ? error.problem.title : undefined;
  return (
    <Alert
      type="error"
      header={typeof title === "string" ? title : texts.failures.title}
      action={onRetry && <Button onClick={onRetry}>{texts.common.retry}</Button>}
    >
      {error.message}
      {typeof request === "string" && (
        <div>
          {texts.failures.requestId} {request}
        </div>
      )}
    </Alert>
  );
}
