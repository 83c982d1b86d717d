// What every page of both applications stands in: theme, query cache, language.
import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { isTransient, live } from "@luna/api";
import type { ReactNode } from "react";
import { ToastProvider } from "./toasts";
import { theme, variables } from "./theme";

const MAX_RETRIES = 3;
const POLL_INTERVAL = 10_000; // ms, while the live view is away

export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 15_000,
        networkMode: "always", // a call without a connection fails and says so, instead of waiting
        refetchOnReconnect: true,
        refetchInterval: () => (live.isStarted && live.status !== "live" ? POLL_INTERVAL : false),
        retry: (failures, error) => isTransient(error) && failures < MAX_RETRIES,
        retryDelay: (attempt) => Math.min(500 * 2 ** attempt, 8000),
      },
      mutations: { retry: false, networkMode: "always" },
    },
  });
}

export function UiProvider({ client, children }: { client: QueryClient; children: ReactNode }) {
  return (
    <MantineProvider theme={theme} cssVariablesResolver={variables} defaultColorScheme="auto">
      <QueryClientProvider client={client}>
        <ToastProvider>{children}</ToastProvider>
      </QueryClientProvider>
    </MantineProvider>
  );
}
