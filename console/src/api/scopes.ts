import { queryOptions } from "@tanstack/react-query";

interface OpenApi {
  paths?: Record<string, Record<string, { security?: Record<string, string[]>[] }>>;
}

/** Every scope a key can be given, read off the running server's own document: `scheme` is the way of authenticating that asks for it. */
export function scopesIn(document: OpenApi, scheme: string): string[] {
  const scopes = new Set<string>();
  for (const operations of Object.values(document.paths ?? {})) {
    for (const operation of Object.values(operations)) {
      for (const way of operation.security ?? []) for (const scope of way[scheme] ?? []) scopes.add(scope);
    }
  }
  return [...scopes].sort();
}

/** Scopes by the system they belong to, the first word of each. */
export function bySystem(scopes: string[]): [system: string, scopes: string[]][] {
  const groups = new Map<string, string[]>();
  for (const scope of scopes) {
    const system = scope.split(":")[0] ?? scope;
    groups.set(system, [...(groups.get(system) ?? []), scope]);
  }
  return [...groups];
}

export const scopesQuery = queryOptions({
  queryKey: ["scopes"],
  queryFn: async ({ signal }) => {
    const answer = await fetch("/openapi.json", { signal });
    if (!answer.ok) throw new Error(`The API document answered ${answer.status}.`);
    return scopesIn((await answer.json()) as OpenApi, "secret_key");
  },
  staleTime: Number.POSITIVE_INFINITY,
});
