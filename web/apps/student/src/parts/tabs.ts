// What one tab of this browser has done that the others show too: messages marked as read.
import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";

const channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("luna.read");

export function announceRead(): void {
  channel?.postMessage("read");
}

/** Read messages and their number again when another tab has marked some. */
export function useReadElsewhere(): void {
  const client = useQueryClient();
  useEffect(() => {
    const reread = () => {
      for (const key of ["notifications", "unread"]) void client.invalidateQueries({ queryKey: [key] });
    };
    channel?.addEventListener("message", reread);
    return () => channel?.removeEventListener("message", reread);
  }, [client]);
}
