import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { api, read, readTagged } from "./client";
import type { FormDefinition } from "./models";
import { filters, pagedQuery } from "./pages";

export const formsQuery = () => pagedQuery(["forms", "list"], (page, signal) => read(api.GET("/v1/forms", { params: { query: page }, signal })));

export const formQuery = (id: string) =>
  queryOptions({ queryKey: ["forms", "one", id], queryFn: ({ signal }) => read(api.GET("/v1/forms/{id}", { params: { path: { id } }, signal })) });

/** The draft with its tag: a change says which state it changes. */
export const formDraftQuery = (id: string) =>
  queryOptions({ queryKey: ["forms", "draft", id], queryFn: ({ signal }) => readTagged(api.GET("/v1/forms/{id}/draft", { params: { path: { id } }, signal })) });

export const formVersionsQuery = (id: string) =>
  pagedQuery(["forms", "versions", id], (page, signal) => read(api.GET("/v1/forms/{id}/versions", { params: { path: { id }, query: page }, signal })));

export const submissionsQuery = (filter: { form_id?: string; q?: string }) =>
  pagedQuery(["submissions", "list", filter], (page, signal) => read(api.GET("/v1/submissions", { params: { query: { ...page, ...filters(filter) } }, signal })));

export const submissionQuery = (id: string) =>
  queryOptions({ queryKey: ["submissions", "one", id], queryFn: ({ signal }) => read(api.GET("/v1/submissions/{id}", { params: { path: { id } }, signal })) });

export const csvAddress = (formId: string) => `/v1/forms/${encodeURIComponent(formId)}/submissions.csv`;

export function useCreateForm() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: { name: string; external_id?: string; definition: FormDefinition }) => read(api.POST("/v1/forms", { body })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["forms"] }),
  });
}

export function useSaveDraft(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ definition, etag }: { definition: FormDefinition; etag: string }) =>
      readTagged(api.PUT("/v1/forms/{id}/draft", { params: { path: { id }, header: { "If-Match": etag } }, body: { definition } })),
    onSuccess: (saved) => {
      client.setQueryData(formDraftQuery(id).queryKey, saved);
      return client.invalidateQueries({ queryKey: ["forms", "one", id] });
    },
  });
}

export function usePublishForm(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ etag }: { etag: string }) => read(api.POST("/v1/forms/{id}/publish", { params: { path: { id }, header: { "If-Match": etag } }, body: { note: "" } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["forms"] }),
  });
}

export function useDeleteForm() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => read(api.DELETE("/v1/forms/{id}", { params: { path: { id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["forms", "list"] }),
  });
}

export function useDeleteSubmission() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => read(api.DELETE("/v1/submissions/{id}", { params: { path: { id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ["submissions", "list"] }),
  });
}
