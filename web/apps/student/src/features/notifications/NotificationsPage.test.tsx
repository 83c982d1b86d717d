import { fireEvent, screen, waitFor } from "@testing-library/react";
import { expect, test } from "vitest";
import { show } from "../../testing";

const MESSAGE = { id: "n1", title: "Your book is here", message: "At Study Room 201.", payload: {}, is_read: false, created_at: "2026-01-01T10:00:00Z" };

test("a message is marked as read at once, before the server has answered", async () => {
  const sent = await show("/notifications", { "GET /notifications": [MESSAGE], "GET /notifications/unread-count": { unread: 1 }, "PUT /notifications/n1/read": () => new Promise(() => undefined) });
  fireEvent.click(await screen.findByRole("button", { name: /Your book is here/ }));
  await waitFor(() => expect(screen.queryByRole("button", { name: /Your book is here/ })).toBeNull());
  expect(sent.filter(({ call }) => call === "PUT /notifications/n1/read")).toHaveLength(1);
});
