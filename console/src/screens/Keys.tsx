import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useState } from "react";
import { keysQuery, useCreateKey, useRevokeKey, useRotateKey } from "../api/access";
import type { ApiKey, IssuedKey, KeyKind } from "../api/models";
import { fieldError } from "../api/problem";
import { bySystem, scopesQuery } from "../api/scopes";
import { plural, words } from "../lib/format";
import { instant } from "../lib/time";
import { Button } from "../ui/Button";
import { cx } from "../ui/cx";
import { Confirm, Dialog, DialogActions } from "../ui/Dialog";
import { CheckField, SelectField, TextField } from "../ui/Field";
import { Empty, PageHead } from "../ui/Page";
import { ProblemNotice } from "../ui/Problem";
import { type Column, ResourceList } from "../ui/ResourceList";
import { Glyph, shapeOf } from "../ui/State";
import { Ago, CopyButton } from "../ui/Text";
import { toast } from "../ui/Toasts";

type Asked = { what: "rotate" | "revoke"; key: ApiKey } | null;
const usable = (key: ApiKey) => key.status === "active" || key.status === "retiring";

function columns(ask: (asked: Asked) => void): Column<ApiKey>[] {
  return [
    {
      key: "name",
      head: "Key",
      cell: (row) => (
        <span className="flex min-w-0 items-center gap-2">
          <Glyph shape={shapeOf(row.status)} />
          <span className={cx("truncate font-medium", !usable(row) && "line-through decoration-line-strong")}>{row.name}</span>
        </span>
      ),
      className: "max-w-0 w-[24%] max-md:w-auto",
    },
    { key: "prefix", head: "Looks like", cell: (row) => <span className="mono whitespace-nowrap text-muted">{row.hint}</span>, from: "md" },
    { key: "kind", head: "Kind", cell: (row) => words(row.kind), from: "sm" },
    { key: "scopes", head: "May", cell: (row) => <Scopes scopes={row.scopes} />, from: "lg", className: "max-w-0 w-[24%]" },
    {
      key: "used",
      head: "Last used",
      cell: (row) => (row.status === "retiring" && row.retires_at ? <span className="text-warn" title={instant(row.retires_at)}>ends <Ago at={row.retires_at} /></span> : row.status === "revoked" || row.status === "expired" ? <span className="text-faint">{row.status}</span> : <Ago at={row.last_used_at} className="text-muted" />),
      from: "md",
      align: "right",
    },
    {
      key: "do",
      head: <span className="sr-only">Actions</span>,
      align: "right",
      className: "w-36",
      cell: (row) =>
        usable(row) ? (
          <span className="inline-flex gap-1">
            {row.status === "active" && (
              <Button size="sm" look="quiet" aria-label={`Rotate ${row.name}`} onClick={() => ask({ what: "rotate", key: row })}>
                Rotate
              </Button>
            )}
            <Button size="sm" look="quiet" className="hover:text-bad" aria-label={`Revoke ${row.name}`} onClick={() => ask({ what: "revoke", key: row })}>
              Revoke
            </Button>
          </span>
        ) : null,
    },
  ];
}

function Scopes({ scopes }: { scopes: string[] }) {
  if (scopes.includes("*")) return <span>everything</span>;
  return (
    <span className="mono block truncate text-muted" title={scopes.join("\n")}>
      {scopes.join(", ") || "—"}
    </span>
  );
}

const route = getRouteApi("/app/keys");

export function Keys() {
  const { new: creating } = route.useSearch();
  const navigate = useNavigate();
  const query = useInfiniteQuery(keysQuery());
  const [asked, setAsked] = useState<Asked>(null);
  const [made, setMade] = useState<IssuedKey | null>(null);
  const revoke = useRevokeKey();
  const open = (yes: boolean) => void navigate({ to: "/keys", search: yes ? { new: true } : {}, replace: true });
  const close = () => {
    setAsked(null);
    revoke.reset();
  };
  return (
    <>
      <PageHead
        title="API keys"
        lead="Secret keys belong on servers; publishable ones may be seen by anyone and can only hand things in."
        actions={
          <Button look="primary" data-create="" onClick={() => open(true)} icon={<Plus className="size-3.5" />}>
            New key
          </Button>
        }
      />
      <ResourceList
        label="API keys"
        query={query}
        columns={columns(setAsked)}
        quiet={(row) => !usable(row)}
        under={(row) => (
          <>
            {words(row.kind)} · <span className="mono break-all">{row.hint}</span>
          </>
        )}
        empty={
          <Empty title="No keys yet" action={<Button look="primary" onClick={() => open(true)} icon={<Plus className="size-3.5" />}>New key</Button>}>
            A key lets a program in. It is shown once, when it is made, and kept only as a hash.
          </Empty>
        }
      />
      {creating && <NewKey onClose={() => open(false)} onMade={(key) => { open(false); setMade(key); }} />}
      {asked?.what === "rotate" && <Rotate apiKey={asked.key} onClose={close} onMade={(key) => { close(); setMade(key); }} />}
      <Confirm
        open={asked?.what === "revoke"}
        onClose={close}
        title={`Revoke “${asked?.key.name ?? ""}”?`}
        verb="Revoke"
        busy={revoke.isPending}
        error={revoke.error}
        onConfirm={() => asked && revoke.mutate(asked.key.id, { onSuccess: () => { toast("Key revoked"); close(); } })}
      >
        Every program that still uses it is refused from this moment. To replace a key without an outage, rotate it instead.
      </Confirm>
      <ShowOnce made={made} onClose={() => setMade(null)} />
    </>
  );
}

const KINDS: { kind: KeyKind; help: string }[] = [
  { kind: "secret", help: "For servers. May do what its scopes say." },
  { kind: "publishable", help: "For pages. May submit published forms, ask the assistant and join realtime." },
  { kind: "personal", help: "For your own scripts. Never more than you yourself may do." },
];

function NewKey({ onClose, onMade }: { onClose: () => void; onMade: (key: IssuedKey) => void }) {
  const [name, setName] = useState("");
  const [kind, setKind] = useState<KeyKind>("secret");
  const [scopes, setScopes] = useState<ReadonlySet<string>>(new Set());
  const known = useQuery(scopesQuery);
  const create = useCreateKey();
  const offered = known.data ?? [];
  const chosen = [...scopes].filter((scope) => offered.includes(scope));
  const set = (list: string[], on: boolean) =>
    setScopes((before) => {
      const next = new Set(before);
      for (const scope of list) {
        if (on) next.add(scope);
        else next.delete(scope);
      }
      return next;
    });
  return (
    <Dialog open onClose={onClose} title="New API key" className="max-w-xl">
      <form
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault();
          create.mutate({ name, kind, scopes: kind === "publishable" ? [] : chosen }, { onSuccess: onMade });
        }}
      >
        <TextField label="Name" required autoFocus value={name} onChange={(e) => setName(e.target.value)} placeholder="Billing service" error={fieldError(create.error, "/name")} />
        <SelectField label="Kind" value={kind} onChange={(e) => setKind(e.target.value as KeyKind)} help={KINDS.find((k) => k.kind === kind)?.help} error={fieldError(create.error, "/kind")}>
          {KINDS.map((k) => (
            <option key={k.kind} value={k.kind}>
              {words(k.kind)}
            </option>
          ))}
        </SelectField>
        {kind !== "publishable" && <fieldset>
          <legend className="mb-1 flex w-full items-baseline justify-between font-medium">
            <span>May</span>
          </legend>
          <div className="mb-1.5 flex gap-2 text-xs">
            <button type="button" className="text-accent underline-offset-3 hover:underline" onClick={() => set(offered, true)}>
              Everything
            </button>
            <button type="button" className="text-accent underline-offset-3 hover:underline" onClick={() => { set(offered, false); set(offered.filter((s) => s.endsWith(":read")), true); }}>
              Only read
            </button>
            <button type="button" className="text-accent underline-offset-3 hover:underline" onClick={() => set(offered, false)}>
              Nothing
            </button>
            <span className="ml-auto text-muted figures">
              {chosen.length} of {offered.length}
            </span>
          </div>
          {known.isError && <ProblemNotice error={known.error} onRetry={() => void known.refetch()} />}
          <div className="max-h-72 overflow-y-auto rounded-md border border-line" tabIndex={0} role="group" aria-label="Scopes">
            {known.isPending && <div className="p-4"><div className="bone h-3 w-40" /></div>}
            {bySystem(offered).map(([system, list]) => {
              const on = list.filter((scope) => scopes.has(scope)).length;
              return (
                <div key={system} className="border-b border-line px-3 py-2 last:border-0">
                  <CheckField
                    label={<span className="font-medium">{words(system)}</span>}
                    checked={on === list.length}
                    ref={(box) => {
                      if (box) box.indeterminate = on > 0 && on < list.length;
                    }}
                    onChange={(e) => set(list, e.target.checked)}
                  />
                  <div className="grid pl-5 sm:grid-cols-2">
                    {list.map((scope) => (
                      <CheckField key={scope} label={<span className="mono break-all text-muted">{scope.slice(system.length + 1) || scope}</span>} checked={scopes.has(scope)} onChange={(e) => set([scope], e.target.checked)} />
                    ))}
                  </div>
                </div>
              );
            })}
          </div>
          {fieldError(create.error, "/scopes") && <p className="mt-1 text-xs text-bad">{fieldError(create.error, "/scopes")}</p>}
        </fieldset>}
        {create.isError && <ProblemNotice error={create.error} shown={["/name", "/kind", "/scopes"]} />}
        <DialogActions>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" busy={create.isPending} disabled={kind !== "publishable" && chosen.length === 0}>
            Create key
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

const OVERLAPS: [seconds: number, name: string][] = [
  [0, "None: the old key ends now"],
  [3_600, "One hour"],
  [86_400, "One day"],
  [604_800, "One week"],
];

function Rotate({ apiKey, onClose, onMade }: { apiKey: ApiKey; onClose: () => void; onMade: (key: IssuedKey) => void }) {
  const [overlap, setOverlap] = useState(86_400);
  const rotate = useRotateKey();
  return (
    <Dialog open onClose={onClose} title={`Rotate “${apiKey.name}”`} description="A new key with the same name and scopes. The old one goes on working for a while, so that programs can be changed one by one." className="max-w-md">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          rotate.mutate({ id: apiKey.id, overlap_seconds: overlap }, { onSuccess: onMade });
        }}
      >
        <SelectField label="Both work for" value={overlap} onChange={(e) => setOverlap(Number(e.target.value))} error={fieldError(rotate.error, "/overlap_seconds")}>
          {OVERLAPS.map(([seconds, name]) => (
            <option key={seconds} value={seconds}>
              {name}
            </option>
          ))}
        </SelectField>
        {rotate.isError && <ProblemNotice error={rotate.error} className="mt-4" shown={["/overlap_seconds"]} />}
        <DialogActions>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" busy={rotate.isPending}>
            Rotate
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

/** The only time a key's text exists outside the program that will use it. */
function ShowOnce({ made, onClose }: { made: IssuedKey | null; onClose: () => void }) {
  return (
    <Dialog open={made !== null} onClose={onClose} title="Copy the key now" description="It is shown this once. What is kept is a hash, which cannot be turned back.">
      {made && (
        <>
          <p className="mb-1 font-medium">{made.name}</p>
          <div className="flex items-center gap-2 rounded-md border border-accent/40 bg-accent-wash py-2 pr-2 pl-3">
            <code className="mono min-w-0 flex-1 break-all select-all">{made.secret}</code>
            <CopyButton text={made.secret} name="Copy key" />
          </div>
          {made.scopes.length > 0 && <p className="mt-2 text-xs text-muted">{made.scopes.includes("*") ? "It may do everything." : `It has ${plural(made.scopes.length, "scope")}.`}</p>}
          <DialogActions>
            <Button look="primary" onClick={onClose}>
              I have copied it
            </Button>
          </DialogActions>
        </>
      )}
    </Dialog>
  );
}
