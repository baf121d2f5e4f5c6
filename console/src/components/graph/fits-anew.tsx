// Shows a whole graph again where its room, or what stands in it, changes.
import { type FitViewOptions, useReactFlow, useStore } from "@xyflow/react";
import { useEffect } from "react";

interface FitsAnewProps {
  /** Whatever this changes with. */
  fitKey: string;
  /** How much is left free around it, and how large blocks may get. Its own value makes nothing fit anew. */
  options: FitViewOptions;
}

/** Stands within a React Flow. At once, not gliding: whoever reaches for a block finds it where it is. */
export function FitsAnew({ fitKey, options }: FitsAnewProps) {
  const { fitView } = useReactFlow();
  const width = useStore((state) => state.width);
  const height = useStore((state) => state.height);
  useEffect(() => {
    if (!width || !height) return;
    // Blocks stand where they are to stand only in the next frame.
    const frame = requestAnimationFrame(() => void fitView(options));
    return () => cancelAnimationFrame(frame);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- options count when it fits anew, and are no reason to
  }, [fitView, width, height, fitKey]);
  return null;
}
