/** Where to go after sign-in: an address of this product, or the beginning. Never another site. */
export function placeOf(next: string | undefined): string {
  // As a browser reads it: it takes backslashes for slashes and drops tabs and line ends.
  const { origin } = window.location;
  if (!next?.startsWith('/') || !URL.canParse(next, origin) || new URL(next, origin).origin !== origin) return '/';
  return next.startsWith('/sign-in') ? '/' : next;
}

/** Whether an address is the admin console's, whose pages are no pages of this application: it is loaded whole. */
export function isConsole(place: string): boolean {
  return /^\/admin(\/|$)/.test(place);
}
