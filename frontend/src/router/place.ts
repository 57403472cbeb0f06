/** Where to go after sign-in: an address of this product, or the beginning. Never another site. */
export function placeOf(next: string | undefined): string {
  if (!next?.startsWith('/') || next.startsWith('//') || next.startsWith('/\\')) return '/';
  return next.startsWith('/sign-in') ? '/' : next;
}

/** Whether an address is the admin console's, whose pages are no pages of this application: it is loaded whole. */
export function isConsole(place: string): boolean {
  return /^\/admin(\/|$)/.test(place);
}
