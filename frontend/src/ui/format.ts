/** Dates, numbers, sizes and durations in the person's locale and time zone: the only place that writes them. */

let locale = 'en';
let timeZone: string | undefined;

function supported(make: () => unknown): boolean {
  try {
    make();
    return true;
  } catch {
    return false;
  }
}

/** Called once when the person is known; a locale or zone this browser does not know is left out. */
export function setFormat(person: { locale: string; time_zone: string }): void {
  const tag = person.locale.replace('_', '-');
  if (tag && supported(() => new Intl.NumberFormat(tag))) locale = tag;
  if (person.time_zone && supported(() => new Intl.DateTimeFormat('en', { timeZone: person.time_zone }))) {
    timeZone = person.time_zone;
  }
}

export function formatDateTime(iso: string): string {
  return new Intl.DateTimeFormat(locale, {
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZone,
    timeZoneName: 'short',
  }).format(new Date(iso));
}

export function formatShortDateTime(iso: string): string {
  return new Intl.DateTimeFormat(locale, {
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    timeZone,
  }).format(new Date(iso));
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
];

// Seconds by which the clock of a page (Ago) may be behind: what happened since its last tick is not in the future.
const BEHIND = 16;

/** "3 minutes ago", "in 2 hours"; less than five seconds ago, and what seems to be to come in a moment, is "just now". */
export function formatRelative(iso: string, now: number): string {
  const seconds = (Date.parse(iso) - now) / 1000;
  if (seconds > -5 && seconds < BEHIND) return 'just now';
  const [unit, size] = STEPS.find(([, length]) => Math.abs(seconds) >= length) ?? ['second', 1];
  return new Intl.RelativeTimeFormat(locale, { numeric: 'auto' }).format(Math.round(seconds / size), unit);
}

/** "0.4s", "12s", "4m 05s", "3h 02m", "2d 4h". Milliseconds in, never negative. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)}s`;
  const whole = Math.round(seconds);
  const pad = (value: number) => String(value).padStart(2, '0');
  if (whole < 60) return `${whole}s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${pad(whole % 60)}s`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)}h ${pad(Math.floor(whole / 60) % 60)}m`;
  return `${Math.floor(whole / 86_400)}d ${Math.floor(whole / 3600) % 24}h`;
}

/** Like formatDuration in whole seconds: a clock that ticks does not show tenths. */
export function formatTicking(ms: number): string {
  const seconds = Math.floor(Math.max(0, ms) / 1000);
  return seconds < 60 ? `${seconds}s` : formatDuration(seconds * 1000);
}

const SIZES = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < SIZES.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  const number = new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(value);
  return `${number} ${unit === 0 && bytes === 1 ? 'byte' : (SIZES[unit] ?? '')}`;
}

export function formatNumber(value: number): string {
  return new Intl.NumberFormat(locale, { maximumSignificantDigits: 6 }).format(value);
}

export function formatCount(value: number): string {
  return new Intl.NumberFormat(locale).format(value);
}

/** 0.0375 as "3.8%"; what is there at all is never "0%". */
export function formatShare(share: number): string {
  const least = 0.001;
  const small = share > 0 && share < least;
  const text = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 }).format(small ? least : share);
  return small ? `< ${text}` : text;
}

/** "1 task", "2 tasks". */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** The first twelve digits of a sha256; the whole of it stands in the title and is what is copied. */
export function shortDigest(digest: string): string {
  return digest.replace(/^sha256:/, '').slice(0, 12);
}
