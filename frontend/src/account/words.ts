/** Seconds of Unix time as ISO. */
export function isoOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

// Who says several names is the first of these: Edge says Chrome too, and Chrome says Safari.
const BROWSERS: [string, RegExp][] = [
  ['Edge', /Edg\//],
  ['Opera', /OPR\//],
  ['Firefox', /Firefox\//],
  ['Chrome', /Chrome\//],
  ['Safari', /Safari\//],
];
const SYSTEMS: [string, RegExp][] = [
  ['Android', /Android/],
  ['an iPhone', /iPhone/],
  ['an iPad', /iPad/],
  ['Windows', /Windows/],
  ['a Mac', /Mac OS X/],
  ['Linux', /Linux/],
];

/** "Firefox on Linux"; what the browser says of itself where that is not known. */
export function deviceOf(agent: string): string {
  const find = (known: [string, RegExp][]) => known.find(([, pattern]) => pattern.test(agent))?.[0];
  const browser = find(BROWSERS);
  const system = find(SYSTEMS);
  if (!browser) return agent || 'Unknown';
  return system ? `${browser} on ${system}` : browser;
}
