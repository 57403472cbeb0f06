/** Why a provider's word opened nothing, by the code in the address one comes back to. */
const REFUSALS: Record<string, string> = {
  cancelled: 'You said no at the provider, so nothing was done.',
  account_inactive: 'Your account here is suspended: ask a site admin.',
  domain_not_allowed: 'Only people with a verified address of certain domains may sign in here. Ask whoever runs this installation.',
  group_not_allowed: 'Only members of certain groups may sign in here. Ask whoever runs this installation.',
  email_unverified: 'The provider has not verified your e-mail address. Have it verified there, then try again.',
  no_email: 'The provider does not tell your e-mail address, which is needed here.',
  email_taken: 'An account here has your address already. Sign in with its password, then link the provider on your account page.',
  signup_closed: 'You have no account here: ask a site admin to make one.',
  not_made: 'No account could be made for you here. Try again; if it stays so, ask a site admin.',
  connected_other: 'Somebody else here is linked to this person at the provider.',
  somebody_else: 'You came back from the provider as somebody else. Sign in there as yourself, then try again.',
  not_asked_again: 'The provider did not ask who you are again. Sign out there, then try again.',
  signed_out: 'You were signed out meanwhile. Sign in, then try again.',
};

export function refusalWords(code: string | undefined): string | null {
  if (code === undefined) return null;
  return REFUSALS[code] ?? "The provider's answer could not be verified. Begin again; if it stays so, tell whoever runs this installation.";
}
