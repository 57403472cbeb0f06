/** The nonce that the content security policy of this page asks of style sheets added by scripts; '' without a policy. */
export function pageNonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? '';
}
