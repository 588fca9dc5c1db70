import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, read } from "./client";
import type { Session } from "./models";

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: ({ signal }) => read(api.GET("/v1/session", { signal })),
  staleTime: 60_000,
  retry: false,
});

export const setupQuery = queryOptions({
  queryKey: ["setup"],
  queryFn: ({ signal }) => read(api.GET("/v1/setup", { signal })),
  staleTime: 0,
  retry: false,
});

/** Another person or tenant: nothing cached before may be shown after. */
function useEnter() {
  const client = useQueryClient();
  return (session: Session) => {
    client.clear();
    client.setQueryData(sessionQuery.queryKey, session);
  };
}

export function useLogin() {
  const onSuccess = useEnter();
  return useMutation({ mutationFn: (body: { email: string; password: string }) => read(api.POST("/v1/session", { body })), onSuccess });
}

export function useSetup() {
  const onSuccess = useEnter();
  return useMutation({
    mutationFn: (body: { token: string; email: string; password: string; name: string; organisation: string }) => read(api.POST("/v1/setup", { body })),
    onSuccess,
  });
}

export function useAcceptInvite() {
  const onSuccess = useEnter();
  return useMutation({
    mutationFn: (body: { token: string; password: string; name: string }) => read(api.POST("/v1/invites/accept", { body })),
    onSuccess,
  });
}

export function useSwitchTenant() {
  const onSuccess = useEnter();
  return useMutation({ mutationFn: (tenant_id: string) => read(api.POST("/v1/session/tenant", { body: { tenant_id } })), onSuccess });
}

export function useLogout() {
  const client = useQueryClient();
  return useMutation({ mutationFn: () => read(api.DELETE("/v1/session")), onSuccess: () => client.clear() });
}
