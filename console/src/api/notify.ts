import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, read } from "./client";
import { filters, pagedQuery } from "./pages";

export const NOTIFICATION_STATES = ["pending", "retrying", "sent", "failed"] as const;
export type NotificationState = (typeof NOTIFICATION_STATES)[number];
export type NotificationChannel = "email" | "in_app";

export const notificationsQuery = (filter: { state?: NotificationState; channel?: NotificationChannel }) =>
  pagedQuery(["notifications", "list", filter], (page, signal) => read(api.GET("/v1/notifications", { params: { query: { ...page, ...filters(filter) } }, signal })));

export const notificationQuery = (id: string) =>
  queryOptions({ queryKey: ["notifications", "one", id], queryFn: ({ signal }) => read(api.GET("/v1/notifications/{id}", { params: { path: { id } }, signal })) });

export function useReplayNotification() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => read(api.POST("/v1/notifications/{id}/replay", { params: { path: { id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["notifications"] }),
  });
}

export const inboxQuery = (filter: { unread?: boolean }) =>
  pagedQuery(["inbox", "list", filter], (page, signal) => read(api.GET("/v1/inbox", { params: { query: { ...page, ...filters(filter) } }, signal })));

export const inboxSummaryQuery = queryOptions({ queryKey: ["inbox", "summary"], queryFn: ({ signal }) => read(api.GET("/v1/inbox/summary", { signal })) });

export function useMarkRead() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => read(api.POST("/v1/inbox/{id}/read", { params: { path: { id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["inbox"] }),
  });
}

export function useMarkAllRead() {
  const client = useQueryClient();
  return useMutation({ mutationFn: () => read(api.POST("/v1/inbox/read-all")), onSuccess: () => client.invalidateQueries({ queryKey: ["inbox"] }) });
}

export const mailsQuery = () => pagedQuery(["mails", "list"], (page, signal) => read(api.GET("/v1/mails", { params: { query: page }, signal })));

export const mailQuery = (id: string) =>
  queryOptions({ queryKey: ["mails", "one", id], queryFn: ({ signal }) => read(api.GET("/v1/mails/{id}", { params: { path: { id } }, signal })) });
