/**
 * Where a person goes on to who is done here: the platform's frontend. Where there is none yet, so that
 * its address is the gateway's own root, which serves nothing, their account.
 */
export function nextUrl(publicOrigin: string, frontendUrl: string): string {
  const { origin, pathname } = new URL(frontendUrl);
  const isRoot = origin === new URL(publicOrigin).origin && pathname === "/";
  return isRoot ? `${origin}/auth/account` : frontendUrl;
}
