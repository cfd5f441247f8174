/** Returns the path when it leads back into this dashboard, and nothing for everything else that a link may carry. */
export function localPath(value: unknown): string | undefined {
  if (typeof value !== "string" || !value.startsWith("/")) return undefined;
  // Browsers strip tabs and line breaks from addresses and read a backslash as a slash: "/\t/host" is another host.
  if (/[\\\p{Cc}]/u.test(value)) return undefined;
  const base = "https://base.invalid";
  if (!URL.canParse(value, base)) return undefined;
  const url = new URL(value, base);
  // Resolving "/a/..//host" leaves two slashes at the front, which would be another host again.
  if (url.origin !== base || url.pathname.startsWith("//")) return undefined;
  return url.pathname + url.search + url.hash;
}
