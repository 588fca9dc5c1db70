import { useQuery, useQueryClient, useSuspenseQuery } from "@tanstack/react-query";
import { Outlet, useNavigate, useRouterState } from "@tanstack/react-router";
import { Menu, Search } from "lucide-react";
import { useCallback, useEffect, useRef, useState } from "react";
import { inboxSummaryQuery } from "../api/notify";
import { connectRealtime, type LinkState, useLinkState } from "../api/realtime";
import { sessionQuery } from "../api/session";
import type { Session } from "../api/models";
import { type Bindings, stepRow, useKeys } from "../lib/keyboard";
import { IconButton, Kbd } from "../ui/Button";
import { cx } from "../ui/cx";
import { To } from "../ui/To";
import { Mark } from "./Mark";
import { NAV, PLACES } from "./nav";
import { Palette } from "./Palette";
import { Shortcuts } from "./Shortcuts";
import { TenantMenu } from "./TenantMenu";
import { UserMenu } from "./UserMenu";

export function AppShell() {
  const { data: session } = useSuspenseQuery(sessionQuery);
  const client = useQueryClient();
  const [palette, setPalette] = useState(false);
  const [shortcuts, setShortcuts] = useState(false);
  const [drawer, setDrawer] = useState(false);
  const path = useRouterState({ select: (state) => state.location.pathname });
  const tenant = session.tenant.id;

  useEffect(() => connectRealtime(client), [client, tenant]);
  useEffect(() => setDrawer(false), [path]);
  useGlobalKeys(() => setPalette(true), () => setShortcuts(true));
  const openShortcuts = useCallback(() => setShortcuts(true), []);

  return (
    <div className="min-h-dvh md:grid md:grid-cols-[14.5rem_minmax(0,1fr)]">
      <a href="#main" className="fixed top-2 left-2 z-50 -translate-y-16 rounded-md bg-accent px-3 py-1.5 text-on-accent focus:translate-y-0">
        Skip to the page
      </a>
      <header className="sticky top-0 z-20 flex h-12 items-center gap-1 border-b border-line bg-ground px-2 md:hidden">
        <IconButton name="Menu" onClick={() => setDrawer(true)} aria-expanded={drawer}>
          <Menu className="size-[18px]" />
        </IconButton>
        <Mark className="ml-1 size-[18px]" />
        <span className="ml-1.5 min-w-0 flex-1 truncate font-semibold">{session.tenant.name}</span>
        <LinkDot />
        <IconButton name="Search and commands" onClick={() => setPalette(true)}>
          <Search className="size-[18px]" />
        </IconButton>
      </header>
      <aside className="sticky top-0 hidden h-dvh border-r border-line bg-ground md:block">
        <Side session={session} onPalette={() => setPalette(true)} onShortcuts={openShortcuts} />
      </aside>
      <Drawer open={drawer} onClose={() => setDrawer(false)}>
        <Side session={session} onPalette={() => setPalette(true)} onShortcuts={openShortcuts} />
      </Drawer>
      <main id="main" tabIndex={-1} className="min-w-0 outline-none">
        <div className="mx-auto max-w-[88rem]">
          <Outlet />
        </div>
      </main>
      <Palette open={palette} onClose={() => setPalette(false)} onShortcuts={openShortcuts} />
      <Shortcuts open={shortcuts} onClose={() => setShortcuts(false)} />
    </div>
  );
}

function Side({ session, onPalette, onShortcuts }: { session: Session; onPalette: () => void; onShortcuts: () => void }) {
  const { data: inbox } = useQuery(inboxSummaryQuery);
  return (
    <div className="flex h-full flex-col">
      <div className="p-2.5 pb-1.5">
        <TenantMenu session={session} />
        <button
          type="button"
          onClick={onPalette}
          className="mt-2 flex h-8 w-full items-center gap-2 rounded-md border border-line-strong bg-raised px-2 text-left text-muted transition-colors hover:border-control"
        >
          <Search className="size-3.5" aria-hidden="true" />
          <span className="flex-1">Go to or do…</span>
          <Kbd>⌘</Kbd>
          <Kbd>K</Kbd>
        </button>
      </div>
      <nav aria-label="Main" className="min-h-0 flex-1 overflow-y-auto px-2.5 pb-3">
        {NAV.map((group) => (
          <div key={group.title ?? "top"} className="mt-3 first:mt-1.5">
            {group.title && <p className="label px-2 pb-0.5">{group.title}</p>}
            <ul>
              {group.places.map((place) => (
                <li key={place.to}>
                  <To
                    to={place.to}
                    className="group relative flex h-7 items-center gap-2.5 rounded-md px-2 text-muted transition-colors hover:bg-hover hover:text-ink max-md:h-10 [&[data-status=active]]:bg-line/60 [&[data-status=active]]:font-medium [&[data-status=active]]:text-ink"
                    {...(place.to === "/" ? { activeOptions: { exact: true } } : {})}
                  >
                    <place.icon className="size-[15px] shrink-0 text-faint group-[[data-status=active]]:text-accent" strokeWidth={1.75} aria-hidden="true" />
                    <span className="flex-1">{place.name}</span>
                    {place.to === "/inbox" && inbox !== undefined && inbox.unread > 0 && (
                      <span className="rounded bg-accent px-1.5 text-2xs font-semibold text-on-accent figures">
                        {inbox.unread > 99 ? "99+" : inbox.unread}
                        <span className="sr-only"> unread</span>
                      </span>
                    )}
                  </To>
                </li>
              ))}
            </ul>
          </div>
        ))}
      </nav>
      <div className="flex items-center gap-1 border-t border-line p-2.5">
        <UserMenu session={session} onShortcuts={onShortcuts} />
        <LinkDot />
      </div>
    </div>
  );
}

const LINK_WORDS: Record<LinkState, string> = { live: "Live", connecting: "Connecting", offline: "Offline" };

/** Whether what is on the screen moves by itself. */
function LinkDot() {
  const state = useLinkState();
  return (
    <span className="flex shrink-0 items-center gap-1.5 px-2 text-xs text-muted" role="status" title={state === "live" ? "Live: changes appear as they happen" : "Not connected: lists refresh when you return to them"}>
      <span className={cx("size-1.5 rounded-full", state === "live" ? "bg-good" : state === "connecting" ? "animate-breathe bg-warn" : "border border-bad")} aria-hidden="true" />
      {LINK_WORDS[state]}
    </span>
  );
}

function Drawer({ open, onClose, children }: { open: boolean; onClose: () => void; children: React.ReactNode }) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (open) ref.current?.showModal();
    else ref.current?.close();
  }, [open]);
  return (
    <dialog
      ref={ref}
      aria-label="Menu"
      onClose={onClose}
      onClick={(event) => {
        if (event.target === ref.current) onClose();
      }}
      className="m-0 h-dvh max-h-none w-72 max-w-[85vw] border-r border-line bg-ground p-0 md:hidden"
    >
      {open && children}
    </dialog>
  );
}

function useGlobalKeys(openPalette: () => void, openShortcuts: () => void) {
  const navigate = useNavigate();
  const bindings: Bindings = {
    "mod+k": openPalette,
    "?": openShortcuts,
    "/": () => document.querySelector<HTMLInputElement>("[data-search]")?.focus(),
    j: () => stepRow(1),
    k: () => stepRow(-1),
    u: () => document.querySelector<HTMLElement>("[data-back]")?.click(),
    c: () => document.querySelector<HTMLElement>("[data-create]")?.click(),
    x: () => document.activeElement?.closest("tr")?.querySelector<HTMLInputElement>("input[type=checkbox]")?.click(),
  };
  for (const place of PLACES) bindings[`g ${place.letter}`] = () => void navigate({ to: place.to as "." });
  useKeys(bindings);
}
