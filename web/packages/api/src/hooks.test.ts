import { QueryClient, QueryClientProvider, useQuery } from "@tanstack/react-query";
import { renderHook, waitFor } from "@testing-library/react";
import { createElement, type ReactNode } from "react";
import { expect, test, vi } from "vitest";
import { useTopic } from "./hooks";
import { live, type Handler } from "./live";

test("the first snapshot reads again what was read just before: a change between the two sends no event", async () => {
  const subscribed = vi.spyOn(live, "on").mockReturnValue(() => undefined);
  const read = vi.fn(() => Promise.resolve("after")).mockResolvedValueOnce("before");
  const client = new QueryClient();
  const wrapper = ({ children }: { children: ReactNode }) => createElement(QueryClientProvider, { client }, children);
  const { result } = renderHook(
    () => {
      useTopic("deliveries", [["tasks"]]);
      return useQuery({ queryKey: ["tasks"], queryFn: () => read() }).data;
    },
    { wrapper },
  );
  await waitFor(() => expect(result.current).toBe("before"));
  const handle = subscribed.mock.calls[0]?.[1] as Handler;
  handle({ type: "snapshot", topic: "deliveries", pos: 1, event: null, at: "", data: {} });
  await waitFor(() => expect(result.current).toBe("after"));
});
