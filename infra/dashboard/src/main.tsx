import "./page.css";
import Alert from "@cloudscape-design/components/alert";
import { I18nProvider } from "@cloudscape-design/components/i18n";
import messages from "@cloudscape-design/components/i18n/messages/all.en";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { type ReactNode, StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ApiContext, ApiError, newApi } from "./api/client";
import { readConfig } from "./config";
import { openSession, SIGNED_OUT } from "./session";
import { NoticesProvider } from "./shared/notices";
import { App } from "./shell/App";
import { SignedOut } from "./shell/SignedOut";
import { texts } from "./texts";

const STALE_MILLISECONDS = 15_000;
const MAX_RETRIES = 2;

async function start() {
  if (location.pathname === SIGNED_OUT) {
    show(<SignedOut />);
    return;
  }
  const session = await openSession(await readConfig());
  if (session !== "leaving") {
    show(
      <ApiContext.Provider value={newApi(session)}>
        <QueryClientProvider client={newQueryClient()}>
          <NoticesProvider>
            <App session={session} />
          </NoticesProvider>
        </QueryClientProvider>
      </ApiContext.Provider>,
    );
  }
}

function newQueryClient() {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: STALE_MILLISECONDS,
        retry: (failures, error) =>
          failures < MAX_RETRIES && error instanceof ApiError && error.mayPass,
      },
    },
  });
}

const root = createRoot(document.getElementById("root") as HTMLElement);

function show(content: ReactNode) {
  root.render(
    <StrictMode>
      <I18nProvider locale="en" messages={[messages]}>
        {content}
      </I18nProvider>
    </StrictMode>,
  );
}

// A new version of the page took the place of the files that this one would load.
window.addEventListener("vite:preloadError", () => location.reload());

start().catch((error: unknown) => {
  const reason = error instanceof Error ? error.message : "";
  show(
    <Alert type="error" header={texts.failures.start}>
      {reason}
    </Alert>,
  );
});
