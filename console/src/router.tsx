import { type QueryClient, useQueryErrorResetBoundary } from "@tanstack/react-query";
import { createRootRouteWithContext, createRoute, createRouter, lazyRouteComponent, Outlet, redirect, useRouter } from "@tanstack/react-router";
import { useEffect } from "react";
import { toProblem } from "./api/problem";
import { sessionQuery, setupQuery } from "./api/session";
import { tokenIn } from "./lib/fragment";
import { AppShell } from "./shell/AppShell";
import { Mark } from "./shell/Mark";
import { buttonClass } from "./ui/Button";
import { Empty } from "./ui/Page";
import { ProblemNotice } from "./ui/Problem";
import { Toasts } from "./ui/Toasts";
import { To } from "./ui/To";

type Search = Record<string, unknown>;

const text = (search: Search, key: string): string | undefined => {
  const value = search[key];
  return value === undefined || value === null || value === "" ? undefined : String(value);
};
/** Reads the named parameters as text; what is not named is not carried along. */
const texts =
  <K extends string>(...keys: K[]) =>
  (search: Search): { [P in K]?: string } =>
    Object.fromEntries(keys.map((key) => [key, text(search, key)]).filter(([, value]) => value !== undefined)) as { [P in K]?: string };
const flag = (search: Search, key: string): true | undefined => (search[key] === true || search[key] === "true" ? true : undefined);

const root = createRootRouteWithContext<{ client: QueryClient }>()({
  component: () => (
    <>
      <Outlet />
      <Toasts />
    </>
  ),
  errorComponent: Failed,
  notFoundComponent: NotFound,
});

const login = createRoute({ getParentRoute: () => root, path: "/login", validateSearch: texts("next"), component: lazyRouteComponent(() => import("./screens/Enter"), "Login") });
const setup = createRoute({ getParentRoute: () => root, path: "/setup", validateSearch: texts("token"), component: lazyRouteComponent(() => import("./screens/Enter"), "Setup") });
const invite = createRoute({ getParentRoute: () => root, path: "/invite", validateSearch: texts("token"), component: lazyRouteComponent(() => import("./screens/Enter"), "AcceptInvite") });

const app = createRoute({
  getParentRoute: () => root,
  id: "app",
  beforeLoad: async ({ context, location: here }) => {
    if (tokenIn(here.hash, "setup")) throw redirect({ to: "/setup", hash: here.hash });
    if (tokenIn(here.hash, "invite")) throw redirect({ to: "/invite", hash: here.hash });
    try {
      await context.client.ensureQueryData(sessionQuery);
    } catch (error) {
      if (toProblem(error).status !== 401) throw error;
      const fresh = await context.client.fetchQuery(setupQuery).catch(() => ({ needed: false }));
      if (fresh.needed) throw redirect({ to: "/setup" });
      throw redirect({ to: "/login", search: here.pathname === "/" ? {} : { next: here.href } });
    }
  },
  component: AppShell,
  pendingComponent: Starting,
  errorComponent: Failed,
});

const overview = createRoute({ getParentRoute: () => app, path: "/", component: lazyRouteComponent(() => import("./screens/Overview"), "Overview") });
const inbox = createRoute({
  getParentRoute: () => app,
  path: "/inbox",
  validateSearch: (search: Search): { unread?: true } => ({ unread: flag(search, "unread") }),
  component: lazyRouteComponent(() => import("./screens/Inbox"), "InboxScreen"),
});
const inboxItem = createRoute({ getParentRoute: () => inbox, path: "$id", component: lazyRouteComponent(() => import("./screens/Inbox"), "InboxItemScreen") });
const submissions = createRoute({ getParentRoute: () => app, path: "/submissions", validateSearch: texts("form_id", "q"), component: lazyRouteComponent(() => import("./screens/Submissions"), "Submissions") });
const submission = createRoute({ getParentRoute: () => app, path: "/submissions/$id", component: lazyRouteComponent(() => import("./screens/Submissions"), "SubmissionScreen") });
const forms = createRoute({
  getParentRoute: () => app,
  path: "/forms",
  validateSearch: (search: Search): { new?: true } => ({ new: flag(search, "new") }),
  component: lazyRouteComponent(() => import("./screens/Forms"), "Forms"),
});
const form = createRoute({ getParentRoute: () => app, path: "/forms/$id", validateSearch: texts("version"), component: lazyRouteComponent(() => import("./screens/Forms"), "FormScreen") });
const formEdit = createRoute({ getParentRoute: () => app, path: "/forms/$id/edit", component: lazyRouteComponent(() => import("./screens/FormEditor"), "FormEditor") });
const conversations = createRoute({ getParentRoute: () => app, path: "/conversations", component: lazyRouteComponent(() => import("./screens/Conversations"), "Conversations") });
const conversation = createRoute({ getParentRoute: () => app, path: "/conversations/$id", component: lazyRouteComponent(() => import("./screens/Conversations"), "ConversationScreen") });
const workflows = createRoute({
  getParentRoute: () => app,
  path: "/workflows",
  validateSearch: (search: Search): { new?: true } => ({ new: flag(search, "new") }),
  component: lazyRouteComponent(() => import("./screens/Workflows"), "Workflows"),
});
const workflow = createRoute({ getParentRoute: () => app, path: "/workflows/$id", component: lazyRouteComponent(() => import("./screens/Workflows"), "WorkflowScreen") });
const workflowEdit = createRoute({ getParentRoute: () => app, path: "/workflows/$id/edit", component: lazyRouteComponent(() => import("./screens/WorkflowEditor"), "WorkflowEditor") });
const notifications = createRoute({ getParentRoute: () => app, path: "/notifications", validateSearch: texts("state", "channel"), component: lazyRouteComponent(() => import("./screens/Notifications"), "Notifications") });
const notification = createRoute({ getParentRoute: () => app, path: "/notifications/$id", component: lazyRouteComponent(() => import("./screens/Notifications"), "NotificationScreen") });
const mails = createRoute({ getParentRoute: () => app, path: "/mails", component: lazyRouteComponent(() => import("./screens/Mails"), "Mails") });
const mail = createRoute({ getParentRoute: () => app, path: "/mails/$id", validateSearch: texts("view"), component: lazyRouteComponent(() => import("./screens/Mails"), "MailScreen") });
const events = createRoute({ getParentRoute: () => app, path: "/events", validateSearch: texts("type"), component: lazyRouteComponent(() => import("./screens/Events"), "Events") });
const event = createRoute({ getParentRoute: () => app, path: "/events/$id", component: lazyRouteComponent(() => import("./screens/Events"), "EventScreen") });
const jobs = createRoute({ getParentRoute: () => app, path: "/jobs", validateSearch: texts("state", "queue", "kind"), component: lazyRouteComponent(() => import("./screens/Jobs"), "Jobs") });
const job = createRoute({ getParentRoute: () => app, path: "/jobs/$id", component: lazyRouteComponent(() => import("./screens/Jobs"), "JobScreen") });
const traces = createRoute({ getParentRoute: () => app, path: "/traces", component: lazyRouteComponent(() => import("./screens/Traces"), "Traces") });
const trace = createRoute({ getParentRoute: () => app, path: "/traces/$id", validateSearch: texts("span"), component: lazyRouteComponent(() => import("./screens/Trace"), "TraceScreen") });
const requests = createRoute({ getParentRoute: () => app, path: "/requests", validateSearch: texts("status", "operation", "q"), component: lazyRouteComponent(() => import("./screens/Requests"), "Requests") });
const request = createRoute({ getParentRoute: () => app, path: "/requests/$id", component: lazyRouteComponent(() => import("./screens/Requests"), "RequestScreen") });
const keys = createRoute({
  getParentRoute: () => app,
  path: "/keys",
  validateSearch: (search: Search): { new?: true } => ({ new: flag(search, "new") }),
  component: lazyRouteComponent(() => import("./screens/Keys"), "Keys"),
});
const members = createRoute({
  getParentRoute: () => app,
  path: "/members",
  validateSearch: (search: Search): { new?: true } => ({ new: flag(search, "new") }),
  component: lazyRouteComponent(() => import("./screens/Members"), "Members"),
});
const audit = createRoute({ getParentRoute: () => app, path: "/audit", validateSearch: texts("actor", "action"), component: lazyRouteComponent(() => import("./screens/Audit"), "Audit") });
const settings = createRoute({ getParentRoute: () => app, path: "/settings", component: lazyRouteComponent(() => import("./screens/Settings"), "SettingsScreen") });

const tree = root.addChildren([
  login,
  setup,
  invite,
  app.addChildren([
    overview,
    inbox.addChildren([inboxItem]),
    submissions,
    submission,
    forms,
    form,
    formEdit,
    conversations,
    conversation,
    workflows,
    workflow,
    workflowEdit,
    notifications,
    notification,
    mails,
    mail,
    events,
    event,
    jobs,
    job,
    traces,
    trace,
    requests,
    request,
    keys,
    members,
    audit,
    settings,
  ]),
]);

export function makeRouter(client: QueryClient) {
  return createRouter({
    routeTree: tree,
    basepath: "/console",
    context: { client },
    defaultPreload: "intent",
    defaultPreloadStaleTime: 0,
    scrollRestoration: true,
    defaultErrorComponent: Failed,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}

function Starting() {
  return (
    <div className="grid min-h-dvh place-items-center" role="status" aria-label="Loading">
      <Mark className="size-8 animate-breathe" />
    </div>
  );
}

function Failed({ error, reset }: { error: unknown; reset: () => void }) {
  const router = useRouter();
  const { reset: resetQueries } = useQueryErrorResetBoundary();
  useEffect(() => resetQueries(), [resetQueries]);
  return (
    <div className="mx-auto max-w-xl px-4 py-16">
      <Mark className="mb-6 size-8" />
      <ProblemNotice
        error={error}
        onRetry={() => {
          reset();
          void router.invalidate();
        }}
      />
    </div>
  );
}

function NotFound() {
  return (
    <Empty
      level={1}
      title="There is no such page"
      action={
        <To to="/" className={buttonClass("primary")}>
          Go to the overview
        </To>
      }
    >
      The address may be from another version of the console.
    </Empty>
  );
}
