import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, read } from "./client";
import type { KeyKind, Role } from "./models";
import { filters, pagedQuery } from "./pages";

export const keysQuery = () => pagedQuery(["keys", "list"], (page, signal) => read(api.GET("/v1/api-keys", { params: { query: page }, signal })));
export const membersQuery = () => pagedQuery(["members", "list"], (page, signal) => read(api.GET("/v1/members", { params: { query: page }, signal })));
export const invitesQuery = () => pagedQuery(["invites", "list"], (page, signal) => read(api.GET("/v1/invites", { params: { query: page }, signal })));
export const auditQuery = (filter: { actor?: string; action?: string }) =>
  pagedQuery(["audit", "list", filter], (page, signal) => read(api.GET("/v1/audit-entries", { params: { query: { ...page, ...filters(filter) } }, signal })));

function useChanged(resource: string) {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: [resource] });
}

export function useCreateKey() {
  const onSuccess = useChanged("keys");
  return useMutation({ mutationFn: (body: { name: string; kind: KeyKind; scopes: string[] }) => read(api.POST("/v1/api-keys", { body })), onSuccess });
}

export function useRotateKey() {
  const onSuccess = useChanged("keys");
  return useMutation({
    mutationFn: ({ id, overlap_seconds }: { id: string; overlap_seconds: number }) =>
      read(api.POST("/v1/api-keys/{id}/rotate", { params: { path: { id } }, body: { overlap_seconds } })),
    onSuccess,
  });
}

export function useRevokeKey() {
  const onSuccess = useChanged("keys");
  return useMutation({ mutationFn: (id: string) => read(api.DELETE("/v1/api-keys/{id}", { params: { path: { id } } })), onSuccess });
}

export function useInvite() {
  const onSuccess = useChanged("invites");
  return useMutation({ mutationFn: (body: { email: string; role: Role }) => read(api.POST("/v1/members", { body })), onSuccess });
}

export function useRevokeInvite() {
  const onSettled = useChanged("invites");
  return useMutation({ mutationFn: (id: string) => read(api.DELETE("/v1/invites/{id}", { params: { path: { id } } })), onSettled });
}

export function useChangeRole() {
  const onSuccess = useChanged("members");
  return useMutation({
    mutationFn: ({ id, role }: { id: string; role: Role }) => read(api.PATCH("/v1/members/{id}", { params: { path: { id } }, body: { role } })),
    onSuccess,
  });
}

export function useRemoveMember() {
  const onSuccess = useChanged("members");
  return useMutation({ mutationFn: (id: string) => read(api.DELETE("/v1/members/{id}", { params: { path: { id } } })), onSuccess });
}
