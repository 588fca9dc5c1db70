import { queryOptions } from "@tanstack/react-query";
import { api, read } from "./client";
import { filters, pagedQuery } from "./pages";

export const requestsQuery = (filter: { status?: string; operation?: string; q?: string }) =>
  pagedQuery(["requests", "list", filter], (page, signal) => read(api.GET("/v1/requests", { params: { query: { ...page, ...filters(filter) } }, signal })));

export const requestQuery = (id: string) =>
  queryOptions({ queryKey: ["requests", "one", id], queryFn: ({ signal }) => read(api.GET("/v1/requests/{id}", { params: { path: { id } }, signal })) });
