// A track that parts: the picture in the tab of the browser.

export const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#17456b"/><g fill="none" stroke="#fff" stroke-width="3" stroke-linecap="round"><path d="M5 16h22"/><path d="M11 16c6 0 5-8 16-8"/><path d="M11 16c6 0 5 8 16 8"/></g></svg>`
