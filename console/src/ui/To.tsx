import { Link } from "@tanstack/react-router";
import type { ComponentProps } from "react";

type Props = Omit<ComponentProps<"a">, "href"> & { to: string; search?: Record<string, unknown>; replace?: boolean };

/** A link to an address put together at run time (`/jobs/job_…`). The router's own `Link` types only know addresses written out in the code. */
export function To({ to, search, ...rest }: Props) {
  return <Link to={to as "."} search={search as never} {...rest} />;
}
