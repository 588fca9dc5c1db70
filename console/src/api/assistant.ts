import { queryOptions } from "@tanstack/react-query";
import { api, read } from "./client";
import { pagedQuery } from "./pages";

export const conversationsQuery = () =>
  pagedQuery(["conversations", "list"], (page, signal) => read(api.GET("/v1/assistant/conversations", { params: { query: page }, signal })));

export const conversationQuery = (id: string) =>
  queryOptions({
    queryKey: ["conversations", "one", id],
    queryFn: ({ signal }) => read(api.GET("/v1/assistant/conversations/{id}", { params: { path: { id } }, signal })),
  });
