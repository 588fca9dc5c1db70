import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useLocation, useNavigate, useRouter } from "@tanstack/react-router";
import { type FormEvent, type ReactNode, useEffect, useState } from "react";
import { fieldError } from "../api/problem";
import { setupQuery, useAcceptInvite, useLogin, useSetup } from "../api/session";
import { tokenIn } from "../lib/fragment";
import { Mark } from "../shell/Mark";
import { Button, buttonClass } from "../ui/Button";
import { TextField } from "../ui/Field";
import { useTitle } from "../ui/Page";
import { ProblemNotice } from "../ui/Problem";
import { To } from "../ui/To";

const PASSWORD_MIN = 10;

export function Login() {
  useTitle("Log in");
  const { next } = getRouteApi("/login").useSearch();
  const router = useRouter();
  const navigate = useNavigate();
  const login = useLogin();
  const { data: setup } = useQuery(setupQuery);
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  useEffect(() => {
    if (setup?.needed) void navigate({ to: "/setup", replace: true });
  }, [setup, navigate]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    login.mutate(
      { email, password },
      {
        // Only an address of this console: anything else would make the login page a way to send people elsewhere.
        onSuccess: () => (next?.startsWith("/") && !next.startsWith("//") ? router.history.push(withBase(next)) : void navigate({ to: "/" })),
      },
    );
  };
  return (
    <Threshold title="Log in" lead="With the account of your team.">
      <form onSubmit={submit} className="space-y-4">
        {login.isError && <ProblemNotice error={login.error} shown={["/email", "/password"]} />}
        <TextField label="E-mail" type="email" name="email" autoComplete="username" required autoFocus value={email} onChange={(e) => setEmail(e.target.value)} error={fieldError(login.error, "/email")} />
        <TextField label="Password" type="password" name="password" autoComplete="current-password" required value={password} onChange={(e) => setPassword(e.target.value)} error={fieldError(login.error, "/password")} />
        <Button type="submit" look="primary" busy={login.isPending} className="w-full">
          Log in
        </Button>
      </form>
      <p className="mt-5 text-muted">
        Forgotten? An owner can invite you again, or run <code className="mono text-ink">plinth doctor</code> on the server for what else can be done.
      </p>
    </Threshold>
  );
}

function withBase(path: string): string {
  return path.startsWith("/console") ? path : `/console${path}`;
}

export function Setup() {
  useTitle("Set up");
  const { token } = getRouteApi("/setup").useSearch();
  const hash = useLocation({ select: (here) => here.hash });
  const given = token ?? tokenIn(hash, "setup");
  const navigate = useNavigate();
  const setup = useSetup();
  const { data: state } = useQuery(setupQuery);
  const [form, setForm] = useState({ token: given ?? "", organisation: "", name: "", email: "", password: "" });
  const put = (key: keyof typeof form) => (event: { target: { value: string } }) => setForm((before) => ({ ...before, [key]: event.target.value }));
  const error = (key: string) => fieldError(setup.error, `/${key}`);
  if (state && !state.needed && !setup.isSuccess) {
    return (
      <Threshold title="This Plinth is set up" lead="It has an owner already, so the first-run link no longer opens anything.">
        <To to="/login" className={buttonClass("primary")}>
          Log in
        </To>
      </Threshold>
    );
  }
  return (
    <Threshold title="Set up Plinth" lead="Create the owner. This happens once, and only for whoever can read the terminal.">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          setup.mutate(form, { onSuccess: () => void navigate({ to: "/" }) });
        }}
        className="space-y-4"
      >
        {setup.isError && <ProblemNotice error={setup.error} shown={["/organisation", "/name", "/email", "/password", ...(given ? [] : ["/token"])]} />}
        {!given && <TextField label="First-run token" required value={form.token} onChange={put("token")} error={error("token")} help="The end of the link that plinth serve printed, after #setup=" autoComplete="off" spellCheck={false} className="font-mono" />}
        <TextField label="Organisation" required autoFocus value={form.organisation} onChange={put("organisation")} error={error("organisation")} autoComplete="organization" placeholder="Acme" />
        <TextField label="Your name" required value={form.name} onChange={put("name")} error={error("name")} autoComplete="name" />
        <TextField label="E-mail" type="email" required value={form.email} onChange={put("email")} error={error("email")} autoComplete="username" />
        <TextField label="Password" type="password" required minLength={PASSWORD_MIN} value={form.password} onChange={put("password")} error={error("password")} autoComplete="new-password" help={`At least ${PASSWORD_MIN} characters. A sentence is good.`} />
        <Button type="submit" look="primary" busy={setup.isPending} className="w-full">
          Create the owner
        </Button>
      </form>
    </Threshold>
  );
}

export function AcceptInvite() {
  useTitle("Accept invitation");
  const search = getRouteApi("/invite").useSearch();
  const hash = useLocation({ select: (here) => here.hash });
  const token = search.token ?? tokenIn(hash, "invite");
  const navigate = useNavigate();
  const accept = useAcceptInvite();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  if (!token) {
    return (
      <Threshold title="This link is incomplete" lead="An invitation's link ends in a token. Ask for the whole link, or log in if you have an account.">
        <To to="/login" className={buttonClass("primary")}>
          Log in
        </To>
      </Threshold>
    );
  }
  return (
    <Threshold title="Join the team" lead="Choose how you are called and how you get in.">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          accept.mutate({ token, name, password }, { onSuccess: () => void navigate({ to: "/" }) });
        }}
        className="space-y-4"
      >
        {accept.isError && <ProblemNotice error={accept.error} shown={["/name", "/password"]} />}
        <TextField label="Your name" required autoFocus value={name} onChange={(e) => setName(e.target.value)} error={fieldError(accept.error, "/name")} autoComplete="name" />
        <TextField label="Password" type="password" required minLength={PASSWORD_MIN} value={password} onChange={(e) => setPassword(e.target.value)} error={fieldError(accept.error, "/password")} autoComplete="new-password" help={`At least ${PASSWORD_MIN} characters.`} />
        <Button type="submit" look="primary" busy={accept.isPending} className="w-full">
          Join
        </Button>
      </form>
    </Threshold>
  );
}

/** What stands before the console: the form on one side, the elevation of a plinth on the other. */
function Threshold({ title, lead, children }: { title: string; lead: string; children: ReactNode }) {
  return (
    <div className="grid min-h-dvh lg:grid-cols-[minmax(26rem,2fr)_3fr]">
      <main className="flex flex-col px-6 py-8 sm:px-12">
        <p className="flex items-center gap-2.5 text-lg font-semibold tracking-[-0.01em]">
          <Mark className="size-5" />
          Plinth
        </p>
        <div className="m-auto w-full max-w-sm py-10">
          <h1 className="text-2xl font-semibold tracking-[-0.018em]">{title}</h1>
          <p className="mt-1 mb-6 text-base text-muted">{lead}</p>
          {children}
        </div>
      </main>
      <aside className="hidden border-l border-line bg-ground lg:grid" aria-hidden="true">
        <Elevation />
      </aside>
    </div>
  );
}

const COURSES: [y: number, inset: number, height: number, name: string, note: string][] = [
  [96, 190, 46, "deliveries", "attempted, recorded, replayable"],
  [142, 172, 14, "", ""],
  [156, 150, 62, "jobs", "due, leased, done or dead"],
  [218, 150, 62, "events", "in order, at least once"],
  [280, 128, 16, "", ""],
  [296, 104, 76, "commit", "rows, events and the answer, together"],
  [372, 84, 16, "", ""],
  [388, 60, 54, "command", "decides once"],
];

/** A measured drawing: each course of the base is a part of what happens to a request. */
function Elevation() {
  return (
    <svg viewBox="0 0 640 560" className="m-auto w-full max-w-3xl px-10 text-line-strong" fill="none" stroke="currentColor">
      <path d="M20 442h600" strokeWidth="1.5" className="text-control" />
      {Array.from({ length: 31 }, (_, i) => (
        <path key={i} d={`M${20 + i * 20} 442l-9 10`} className="text-line-strong" />
      ))}
      {COURSES.map(([y, inset, height, name, note], i) => (
        <g key={y}>
          <rect x={inset} y={y} width={440 - inset * 2 + 60} height={height} className={i === 0 ? "fill-accent/10 text-accent" : "fill-surface"} strokeWidth="1.25" />
          {name && (
            <>
              <path d={`M${500 - inset + 8} ${y + height / 2}H538`} strokeDasharray="2 4" />
              <circle cx="540" cy={y + height / 2} r="2" fill="currentColor" stroke="none" className={i === 0 ? "text-accent" : "text-control"} />
              <text x="250" y={y + height / 2 + 4} textAnchor="middle" className={i === 0 ? "fill-accent" : "fill-muted"} stroke="none" fontSize="12" letterSpacing=".04em">
                {name}
              </text>
              <title>{note}</title>
            </>
          )}
        </g>
      ))}
      <path d="M540 119V415M536 119h8M536 415h8" className="text-control" strokeWidth="1" />
      <text x="556" y="271" fontSize="11" stroke="none" className="fill-faint font-mono">
        1 trace
      </text>
      <path d="M60 476H440M60 472v8M440 472v8" className="text-control" strokeWidth="1" />
      <text x="250" y="494" fontSize="11" stroke="none" textAnchor="middle" className="fill-faint font-mono">
        one transaction
      </text>
    </svg>
  );
}
