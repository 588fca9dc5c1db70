import { useInfiniteQuery, useQuery, useSuspenseQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import type { Tenant, TokenIssuer } from "../api/models";
import { rowsOf } from "../api/pages";
import { fieldError, toProblem } from "../api/problem";
import { sessionQuery } from "../api/session";
import { issuersQuery, limitsQuery, readinessQuery, tenantQuery, useAddIssuer, useRemoveIssuer, useRenameTenant } from "../api/settings";
import { bytes, plural, words } from "../lib/format";
import { chooseTheme, type ThemeChoice, useThemeChoice } from "../lib/theme";
import { duration } from "../lib/time";
import { Button } from "../ui/Button";
import { Confirm, Dialog, DialogActions } from "../ui/Dialog";
import { Segments, TextField } from "../ui/Field";
import { PageHead, Section } from "../ui/Page";
import { ProblemNotice } from "../ui/Problem";
import { State, Tag } from "../ui/State";
import { Facts, IdText, Instant } from "../ui/Text";
import { toast } from "../ui/Toasts";

export function SettingsScreen() {
  const tenant = useQuery(tenantQuery);
  return (
    <>
      <PageHead title="Settings" />
      <Section title="Tenant">
        {tenant.isError ? (
          <ProblemNotice error={tenant.error} onRetry={() => void tenant.refetch()} />
        ) : tenant.data ? (
          <TenantForm key={tenant.data.data.id} tenant={tenant.data.data} etag={tenant.data.etag} />
        ) : (
          <div className="bone h-8 max-w-sm" />
        )}
      </Section>
      <Appearance />
      <Health />
      <LimitsTable />
      <Issuers />
    </>
  );
}

function TenantForm({ tenant, etag }: { tenant: Tenant; etag: string | null }) {
  const [name, setName] = useState(tenant.name);
  const rename = useRenameTenant();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    rename.mutate({ name, etag }, { onSuccess: () => toast("Name changed") });
  };
  return (
    <div className="grid gap-6 lg:grid-cols-2">
      <form onSubmit={submit} className="flex max-w-md items-end gap-2 self-start">
        <div className="min-w-0 flex-1">
          <TextField label="Name" required value={name} onChange={(e) => setName(e.target.value)} error={rename.isError ? (fieldError(rename.error, "/name") ?? toProblem(rename.error).detail) : undefined} />
        </div>
        <Button type="submit" busy={rename.isPending} disabled={name === tenant.name || name.trim() === ""}>
          Rename
        </Button>
      </form>
      <Facts
        rows={[
          ["Id", <IdText key="i" id={tenant.id} link={false} />],
          ["Mode", <Tag key="m" tone={tenant.mode === "test" ? "warn" : "accent"}>{tenant.mode}</Tag>],
          ["Created", <Instant key="c" at={tenant.created_at} />],
        ]}
      />
    </div>
  );
}

function Appearance() {
  const theme = useThemeChoice();
  return (
    <Section title="Appearance">
      <div className="flex">
        <Segments<ThemeChoice>
          name="Theme"
          value={theme}
          options={[
            { value: "system", label: "As the system" },
            { value: "light", label: "Light" },
            { value: "dark", label: "Dark" },
          ]}
          onPick={chooseTheme}
        />
      </div>
    </Section>
  );
}

function Health() {
  const query = useQuery(readinessQuery);
  return (
    <Section title="Health" lead={query.data?.version ? `Plinth ${query.data.version}` : undefined}>
      {query.isError ? (
        <ProblemNotice error={query.error} onRetry={() => void query.refetch()} />
      ) : query.data ? (
        <ul className="rows max-w-2xl border-y border-line/70">
          {(query.data.checks ?? []).map((check) => (
            <li key={check.name} className="flex flex-wrap items-baseline gap-x-6 py-1.5">
              <State state={check.status} label={words(check.name)} className="min-w-36" />
              <span className="min-w-0 flex-1 text-muted">{check.detail}</span>
            </li>
          ))}
        </ul>
      ) : (
        <div className="bone h-3 w-48" />
      )}
    </Section>
  );
}

/** Durations and sizes in their own words; what else is counted, as it is. */
function limitValue(value: number, unit: string): string {
  if (unit === "bytes") return bytes(value);
  if (unit === "ms") return duration(value);
  if (unit === "seconds") return duration(value * 1000);
  return `${value.toLocaleString("en-GB")} ${unit}`;
}

function LimitsTable() {
  const query = useQuery(limitsQuery);
  return (
    <Section title="Limits" lead="What this tenant may use, as every answer's headers say it too.">
      {query.isError ? (
        <ProblemNotice error={query.error} onRetry={() => void query.refetch()} />
      ) : (
        <dl className="grid gap-x-10 md:grid-cols-2">
          {(query.data?.rates ?? []).map((rate) => (
            <div key={rate.policy} className="flex items-baseline justify-between gap-4 border-b border-line/60 py-1.5">
              <dt className="min-w-0">
                Rate: {words(rate.policy).toLowerCase()} <span className="block text-xs text-muted">{rate.description}</span>
              </dt>
              <dd className="shrink-0 figures">
                {rate.quota.toLocaleString("en-GB")} in {duration(rate.window_ms)}
              </dd>
            </div>
          ))}
          {(query.data?.limits ?? []).map((limit) => (
            <div key={limit.name} className="flex items-baseline justify-between gap-4 border-b border-line/60 py-1.5">
              <dt className="min-w-0">
                {words(limit.name)} <span className="block text-xs text-muted">{limit.description}</span>
              </dt>
              <dd className="shrink-0 figures">{limitValue(limit.value, limit.unit)}</dd>
            </div>
          ))}
        </dl>
      )}
    </Section>
  );
}

function Issuers() {
  const query = useInfiniteQuery(issuersQuery());
  const { data: session } = useSuspenseQuery(sessionQuery);
  const [adding, setAdding] = useState(false);
  const [leaving, setLeaving] = useState<TokenIssuer | null>(null);
  const remove = useRemoveIssuer();
  const rows = rowsOf(query.data);
  const mayManage = session.role === "owner" || session.role === "admin";
  return (
    <Section
      title="Token issuers"
      lead="Whose tokens your own users may bring."
      actions={
        mayManage && (
          <Button size="sm" onClick={() => setAdding(true)}>
            Add issuer
          </Button>
        )
      }
    >
      {query.isError ? (
        <ProblemNotice error={query.error} onRetry={() => void query.refetch()} />
      ) : rows.length === 0 ? (
        <p className="text-muted">
          Only tokens made by this Plinth are accepted.{" "}
          {mayManage && (
            <button type="button" className="text-accent underline underline-offset-3" onClick={() => setAdding(true)}>
              Add your identity provider
            </button>
          )}
        </p>
      ) : (
        <ul className="rows border-y border-line/70">
          {rows.map((issuer) => (
            <li key={issuer.id} className="flex flex-wrap items-baseline gap-x-6 gap-y-0.5 py-2">
              <span className="min-w-0 flex-1 basis-64">
                <span className="block font-medium">{issuer.name}</span>
                <span className="block text-xs break-all text-muted">{issuer.issuer}</span>
                <span className="mono block text-xs break-all text-muted">{issuer.jwks_url}</span>
              </span>
              <span className="text-xs text-muted">{plural(issuer.scopes.length, "scope")}</span>
              <Button size="sm" look="quiet" className="hover:text-bad" aria-label={`Remove ${issuer.issuer}`} onClick={() => setLeaving(issuer)}>
                Remove
              </Button>
            </li>
          ))}
        </ul>
      )}
      {adding && <AddIssuer onClose={() => setAdding(false)} />}
      <Confirm
        open={leaving !== null}
        onClose={() => {
          setLeaving(null);
          remove.reset();
        }}
        title="Stop accepting these tokens?"
        verb="Remove issuer"
        busy={remove.isPending}
        error={remove.error}
        onConfirm={() => leaving && remove.mutate(leaving.id, { onSuccess: () => { toast("Issuer removed"); setLeaving(null); } })}
      >
        Users whose tokens come from <span className="text-ink">{leaving?.issuer}</span> are refused from this moment.
      </Confirm>
    </Section>
  );
}

function AddIssuer({ onClose }: { onClose: () => void }) {
  const [form, setForm] = useState({ name: "", issuer: "", jwks_url: "" });
  const add = useAddIssuer();
  const put = (key: keyof typeof form) => (event: { target: { value: string } }) => setForm((before) => ({ ...before, [key]: event.target.value }));
  return (
    <Dialog open onClose={onClose} title="Add a token issuer" description="Its keys are fetched from the address you name, and never from inside your network.">
      <form
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault();
          add.mutate(form, { onSuccess: () => { toast("Issuer added"); onClose(); } });
        }}
      >
        <TextField label="Name" required value={form.name} onChange={put("name")} placeholder="Our identity provider" error={fieldError(add.error, "/name")} />
        <TextField label="Issuer" type="url" required value={form.issuer} onChange={put("issuer")} placeholder="https://id.example.com" help="Exactly as the tokens say it in iss." error={fieldError(add.error, "/issuer")} />
        <TextField label="Key set address" type="url" required value={form.jwks_url} onChange={put("jwks_url")} placeholder="https://id.example.com/.well-known/jwks.json" error={fieldError(add.error, "/jwks_url")} />
        {add.isError && <ProblemNotice error={add.error} shown={["/name", "/issuer", "/jwks_url"]} />}
        <DialogActions>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" busy={add.isPending}>
            Add issuer
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
