/**
 * The token in a link's fragment, `#setup=…` or `#invite=…`. What follows `#` never reaches a server or its log, so that is where one-time
 * tokens travel, and where they stay while their page is open.
 */
export function tokenIn(hash: string, name: "setup" | "invite"): string | undefined {
  const match = new RegExp(`^#?${name}=([^&]+)$`).exec(hash);
  if (!match?.[1]) return undefined;
  try {
    return decodeURIComponent(match[1]);
  } catch {
    return undefined;
  }
}
