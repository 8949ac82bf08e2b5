import type { Server } from './login.ts'

// `https://10.0.0.1:6443/prefix`, `10.0.0.1:8080` → where requests go, or nothing.

/** As client-go reads it: a host without a scheme is https where there is anything that TLS would need, else http. */
export function serverFrom(text: string, bareHost: 'tls' | 'plain'): Server | undefined {
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `${bareHost === 'tls' ? 'https' : 'http'}://${text}`
  const parsed = URL.parse(url)
  if (parsed === null || parsed.hostname === '' || parsed.search !== '' || parsed.hash !== '') return undefined
  if (parsed.protocol !== 'https:' && parsed.protocol !== 'http:') return undefined
  return {
    origin: parsed.origin,
    prefix: parsed.pathname.replace(/\/+$/, ''),
    secure: parsed.protocol === 'https:' ? 'tls' : 'plain',
  }
}

export const SERVER_FORM = 'must be https://HOST:PORT or http://HOST:PORT'
