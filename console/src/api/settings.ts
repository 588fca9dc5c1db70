import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, read, readTagged } from "./client";
import type { Readiness } from "./models";
import { pagedQuery } from "./pages";

export const tenantQuery = queryOptions({ queryKey: ["tenant"], queryFn: ({ signal }) => readTagged(api.GET("/v1/tenant", { signal })) });
export const limitsQuery = queryOptions({ queryKey: ["limits"], queryFn: ({ signal }) => read(api.GET("/v1/limits", { signal })) });
export const issuersQuery = () => pagedQuery(["issuers", "list"], (page, signal) => read(api.GET("/v1/token-issuers", { params: { query: page }, signal })));

/** Readiness is not part of the API: it answers 503 with the same body when a check fails, and that body is what we want to show. */
export const readinessQuery = queryOptions({
  queryKey: ["readiness"],
  queryFn: async ({ signal }): Promise<Readiness> => (await fetch("/readyz", { signal, headers: { Accept: "application/json" } })).json(),
  refetchInterval: 10_000,
});

export function useRenameTenant() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ name, etag }: { name: string; etag: string | null }) =>
      readTagged(api.PATCH("/v1/tenant", { headers: etag ? { "If-Match": etag } : {}, body: { name } })),
    onSuccess: (saved) => {
      client.setQueryData(tenantQuery.queryKey, saved);
      return client.invalidateQueries({ queryKey: ["session"] });
    },
  });
}

export function useAddIssuer() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: { name: string; issuer: string; jwks_url: string }) => read(api.POST("/v1/token-issuers", { body })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["issuers"] }),
  });
}

export function useRemoveIssuer() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => read(api.DELETE("/v1/token-issuers/{id}", { params: { path: { id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["issuers"] }),
  });
}
