import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, read } from "./client";
import type { JobState } from "./models";
import { filters, pagedQuery } from "./pages";

export const eventsQuery = (filter: { type?: string; subject?: string }) =>
  pagedQuery(["events", "list", filter], (page, signal) => read(api.GET("/v1/events", { params: { query: { ...page, ...filters(filter) } }, signal })));

export const eventQuery = (id: string) =>
  queryOptions({ queryKey: ["events", "one", id], queryFn: ({ signal }) => read(api.GET("/v1/events/{id}", { params: { path: { id } }, signal })) });

export const jobsQuery = (filter: { state?: JobState; queue?: string; kind?: string }) =>
  pagedQuery(["jobs", "list", filter], (page, signal) => read(api.GET("/v1/jobs", { params: { query: { ...page, ...filters(filter) } }, signal })));

export const jobQuery = (id: string) =>
  queryOptions({ queryKey: ["jobs", "one", id], queryFn: ({ signal }) => read(api.GET("/v1/jobs/{id}", { params: { path: { id } }, signal })) });

export const parkedEventsQuery = () => pagedQuery(["parked", "list"], (page, signal) => read(api.GET("/v1/parked-events", { params: { query: page }, signal })));

export const schedulesQuery = () => pagedQuery(["schedules", "list"], (page, signal) => read(api.GET("/v1/schedules", { params: { query: page }, signal })));

export const traceQuery = (trace_id: string) =>
  queryOptions({
    queryKey: ["traces", "one", trace_id],
    queryFn: ({ signal }) => read(api.GET("/v1/traces/{trace_id}", { params: { path: { trace_id } }, signal })),
    // A story that is still being written is read again until it ends.
    refetchInterval: (query) => (query.state.data?.spans.some((span) => span.status === "running" || span.status === "waiting") ? 2_000 : false),
  });

export function useReplayJob() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => read(api.POST("/v1/jobs/{id}/replay", { params: { path: { id } } })),
    onSettled: () => client.invalidateQueries({ queryKey: ["jobs"] }),
  });
}

export function useCancelJob() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => read(api.POST("/v1/jobs/{id}/cancel", { params: { path: { id } } })),
    onSettled: () => client.invalidateQueries({ queryKey: ["jobs"] }),
  });
}

export function useReplayDead() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (queue: string | undefined) => read(api.POST("/v1/jobs/replay-dead", { body: filters({ queue }) })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["jobs"] }),
  });
}

export function useReplayParked() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => read(api.POST("/v1/parked-events/{id}/replay", { params: { path: { id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["parked"] }),
  });
}
