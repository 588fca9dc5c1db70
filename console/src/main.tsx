import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { toProblem, worthRetrying } from "./api/problem";
import { sessionQuery } from "./api/session";
import { watchSystemTheme } from "./lib/theme";
import { makeRouter } from "./router";
import "./styles.css";

/** A session that ended while the page was open: forget it, and let the router ask for a new one. */
function onFailure(error: unknown) {
  if (toProblem(error).status !== 401 || !client.getQueryData(sessionQuery.queryKey)) return;
  client.removeQueries({ queryKey: sessionQuery.queryKey });
  void router.invalidate();
}

const client = new QueryClient({
  queryCache: new QueryCache({ onError: onFailure }),
  mutationCache: new MutationCache({ onError: onFailure }),
  defaultOptions: { queries: { staleTime: 5_000, retry: worthRetrying } },
});
const router = makeRouter(client);

watchSystemTheme();

const host = document.getElementById("root");
if (host) {
  createRoot(host).render(
    <StrictMode>
      <QueryClientProvider client={client}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </StrictMode>,
  );
}
