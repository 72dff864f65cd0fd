// Signs that need no colour: a shape for each version, a mark for each state of health.

const SHAPES = ["●", "◆", "■", "▲", "★", "⬟", "⬢", "✚"];
const HEALTH = {
  good: { mark: "✓", word: "healthy" },
  starting: { mark: "…", word: "starting" },
  bad: { mark: "✕", word: "unhealthy" },
  stopping: { mark: "↓", word: "stopping" },
  ended: { mark: "■", word: "ended" },
};

export const shape = (number) => SHAPES[number % SHAPES.length];
export const mark = (health) => HEALTH[health].mark;
export const word = (health) => HEALTH[health].word;
export const hue = (number) => number % SHAPES.length;
