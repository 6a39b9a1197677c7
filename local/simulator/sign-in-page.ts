const toHtml = (text: string): string => text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)

/** The simulated sign-in page: one user, who signs in with or without MFA, or cancels. */
export function signInPage(query: URLSearchParams): string {
  const hidden = [...query].map(
    ([name, value]) => `<input type="hidden" name="${toHtml(name)}" value="${toHtml(value)}">`,
  )
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Sign in (simulated)</title>
<style>body{font:16px/1.5 system-ui;max-width:28rem;margin:4rem auto;padding:0 1rem}button{font:inherit;padding:.4rem 1rem;margin-right:.5rem}</style>
</head><body><h1>Sign in</h1>
<p>This page stands in for Entra ID on this machine.</p>
<form method="post">${hidden.join('')}
<p><label><input type="checkbox" name="mfa" checked> with multi-factor authentication</label></p>
<button id="accept" name="choice" value="accept">Sign in as the service account</button>
<button id="cancel" name="choice" value="cancel">Cancel</button>
</form></body></html>`
}
