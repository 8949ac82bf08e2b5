// Hardware addresses: text ⇄ bytes.

export function macBytes(mac: string): Buffer {
  return Buffer.from(mac.replaceAll(':', ''), 'hex')
}

export function macText(bytes: Buffer | undefined): string {
  return [...(bytes ?? [])].map(byte => byte.toString(16).padStart(2, '0')).join(':')
}
