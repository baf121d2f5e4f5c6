// How full the way between two blocks is, in words, and at which share it turns.

export interface Pressure {
  level: "calm" | "filling" | "full";
  percent: number;
  /** `70 % full`. */
  text: string;
}

/** Green up to 60 %, yellow up to 85 %, red above. */
export function pressure(fill: number): Pressure {
  const percent = Math.round(Math.min(1, Math.max(0, fill)) * 100);
  const level = percent > 85 ? "full" : percent > 60 ? "filling" : "calm";
  return { level, percent, text: `${percent} % full` };
}
