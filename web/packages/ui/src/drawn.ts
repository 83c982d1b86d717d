// Drawing what takes long after the press that asked for it has been answered.
import { useElementScrollRestoration } from "@tanstack/react-router";
import { useDeferredValue, useEffect, useRef } from "react";

/** Whether nothing has been pressed yet: then there is no press to answer. */
export function isFirstLoad(): boolean {
  return navigator.userActivation?.hasBeenActive === false;
}

/**
 * What has come, one drawing later than the page around it: that is shown first, and the rest is drawn in pieces.
 * On a first load it is drawn at once.
 */
export function useDrawn<Data>(data: Data | undefined): Data | undefined {
  return useDeferredValue<Data | null | undefined>(data, isFirstLoad() ? undefined : null) ?? undefined;
}

/** Go once to the place where the page was left, as soon as it is long enough for it. */
export function useReturn(isComplete: boolean): void {
  const place = useElementScrollRestoration({ getElement: () => window });
  const left = useRef(place);
  useEffect(() => {
    if (!isComplete || !left.current) return;
    window.scrollTo(left.current.scrollX, left.current.scrollY);
    left.current = undefined;
  }, [isComplete]);
}
