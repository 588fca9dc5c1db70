import { queryOptions } from "@tanstack/react-query";
import { api, read } from "./client";

const REFRESH_MS = 2_000;

export const overviewQuery = queryOptions({
  queryKey: ["overview"],
  queryFn: ({ signal }) => read(api.GET("/v1/overview", { signal })),
  refetchInterval: REFRESH_MS,
});
