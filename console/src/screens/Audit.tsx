import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useCallback, useState } from "react";
import { auditQuery } from "../api/access";
import type { AuditEntry } from "../api/models";
import { Button } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { SearchField } from "../ui/Field";
import { Empty, FilterBar, PageHead } from "../ui/Page";
import { type Column, ResourceList } from "../ui/ResourceList";
import { ActorText, Ago, Facts, IdText, Instant } from "../ui/Text";

const route = getRouteApi("/app/audit");

export function Audit() {
  const { action } = route.useSearch();
  const navigate = useNavigate();
  const query = useInfiniteQuery(auditQuery({ action }));
  const [shown, setShown] = useState<AuditEntry | null>(null);
  const search = useCallback((text: string) => void navigate({ to: "/audit", search: { action: text || undefined }, replace: true }), [navigate]);
  const columns: Column<AuditEntry>[] = [
    {
      key: "action",
      head: "Act",
      cell: (row) => (
        <button type="button" data-row="" onClick={() => setShown(row)} className="block max-w-full text-left outline-none after:absolute after:inset-0 focus-visible:after:shadow-[inset_2px_0_0_var(--accent)]">
          <span className="mono block truncate font-semibold">{row.action}</span>
        </button>
      ),
      className: "max-w-0 w-[28%] max-md:w-auto",
    },
    { key: "target", head: "On", cell: (row) => <span className="relative z-1"><IdText id={row.target} short /></span>, from: "md" },
    { key: "actor", head: "By", cell: (row) => <ActorText actor={row.actor} />, from: "sm" },
    { key: "ip", head: "From", cell: (row) => <span className="mono text-muted">{row.ip ?? "—"}</span>, from: "lg" },
    { key: "at", head: "At", cell: (row) => <Ago at={row.created_at} className="text-muted" />, align: "right", className: "w-24" },
  ];
  return (
    <>
      <PageHead title="Audit log" lead="Every administrative act, who did it and from where. Entries are only ever added." />
      <FilterBar>
        <SearchField name="Filter by act" placeholder="identity.key" value={action ?? ""} onSearch={search} />
      </FilterBar>
      <ResourceList
        label="Audit log"
        query={query}
        columns={columns}
        under={(row) => <ActorText actor={row.actor} />}
        empty={
          <Empty title={action ? "No such act" : "Nothing on record"} action={<Button look="primary" onClick={() => (action ? search("") : void query.refetch())}>{action ? "Show every act" : "Look again"}</Button>}>
            {action ? "Acts are matched from their beginning: identity.key finds all that was done to keys." : "Making a key, inviting someone, publishing a form: each leaves an entry here."}
          </Empty>
        }
      />
      <Dialog open={shown !== null} onClose={() => setShown(null)} title={shown?.action ?? ""}>
        {shown && (
          <>
            <Facts
              rows={[
                ["At", <Instant key="t" at={shown.created_at} />],
                ["By", <ActorText key="a" actor={shown.actor} short={false} />],
                ["On", <IdText key="o" id={shown.target} />],
                ["Request", <IdText key="r" id={shown.request_id} />],
                ["From", shown.ip ?? "—"],
              ]}
            />
            <p className="mt-4 mb-1.5 text-xs text-muted">Each entry seals the one before it: a changed or missing one breaks the chain.</p>
            <Facts
              className="text-xs"
              rows={[
                ["Place", <span key="s" className="figures">{shown.sequence}</span>],
                ["Before", <Digest key="b" value={shown.before_digest} />],
                ["After", <Digest key="a" value={shown.after_digest} />],
                ["Seal", <Digest key="h" value={shown.hash} />],
              ]}
            />
          </>
        )}
      </Dialog>
    </>
  );
}

function Digest({ value }: { value: string | null | undefined }) {
  return !value ? <span className="text-faint">—</span> : <span className="mono break-all">{value}</span>;
}
