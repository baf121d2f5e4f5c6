// The same function each time, whatever is drawn anew: for what is drawn seldom and told of acts.
import { useCallback, useLayoutEffect, useRef } from "react";

/** Does what the newest `act` does. Not to be called while something is drawn. */
export function useSteady<Given extends unknown[], Answer>(
  act: (...given: Given) => Answer,
): (...given: Given) => Answer {
  const newest = useRef(act);
  useLayoutEffect(() => {
    newest.current = act;
  });
  return useCallback((...given: Given) => newest.current(...given), []);
}
