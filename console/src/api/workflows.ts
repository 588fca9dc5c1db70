import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, read, readTagged } from "./client";
import type { NewWorkflow, Workflow } from "./models";
import { pagedQuery } from "./pages";

export const workflowsQuery = () => pagedQuery(["workflows", "list"], (page, signal) => read(api.GET("/v1/workflows", { params: { query: page }, signal })));

const tagged = (id: string, signal?: AbortSignal) => readTagged(api.GET("/v1/workflows/{id}", { params: { path: { id } }, signal }));

/** A workflow with its tag: a change says which state it changes. */
export const workflowQuery = (id: string) => queryOptions({ queryKey: ["workflows", "one", id], queryFn: ({ signal }) => tagged(id, signal) });

export type WorkflowChange = Partial<Pick<Workflow, "name" | "enabled" | "trigger" | "steps">>;

const patch = (id: string, etag: string | null, body: WorkflowChange) =>
  readTagged(api.PATCH("/v1/workflows/{id}", { params: { path: { id }, header: { "If-Match": etag ?? "*" } }, body }));

export function useCreateWorkflow() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: NewWorkflow) => read(api.POST("/v1/workflows", { body })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["workflows", "list"] }),
  });
}

export function useSaveWorkflow(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ etag, ...body }: WorkflowChange & { etag: string | null }) => patch(id, etag, body),
    onSuccess: (saved) => {
      client.setQueryData(workflowQuery(id).queryKey, saved);
      return client.invalidateQueries({ queryKey: ["workflows", "list"] });
    },
  });
}

/**
 * Turns a workflow on or off. Rows of a list carry no tag, so the workflow is read first: the switch changes nothing else, and a change
 * that slips in between is refused, not overwritten.
 */
export function useSwitchWorkflow() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ id, enabled }: { id: string; enabled: boolean }) => {
      const { etag } = await tagged(id);
      return patch(id, etag, { enabled });
    },
    onSuccess: (saved, { id }) => client.setQueryData(workflowQuery(id).queryKey, saved),
    onSettled: () => client.invalidateQueries({ queryKey: ["workflows", "list"] }),
  });
}

export function useDeleteWorkflow() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => read(api.DELETE("/v1/workflows/{id}", { params: { path: { id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["workflows", "list"] }),
  });
}
