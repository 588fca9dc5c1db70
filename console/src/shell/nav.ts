import { Activity, AtSign, Bell, FileText, Inbox, KeyRound, LayoutDashboard, ListChecks, MessageSquareText, Radio, ScrollText, Settings, SquareStack, Users, Waypoints, Workflow, type LucideIcon } from "lucide-react";

export interface Place {
  to: string;
  name: string;
  icon: LucideIcon;
  /** The letter that goes there after `g`. */
  letter: string;
  /** What else someone may call it, for the palette. */
  also?: string;
}

export const NAV: { title: string | null; places: Place[] }[] = [
  {
    title: null,
    places: [
      { to: "/", name: "Overview", icon: LayoutDashboard, letter: "o", also: "home dashboard figures" },
      { to: "/inbox", name: "Inbox", icon: Inbox, letter: "i", also: "messages unread" },
    ],
  },
  {
    title: "Collect",
    places: [
      { to: "/submissions", name: "Submissions", icon: SquareStack, letter: "s", also: "answers contact responses" },
      { to: "/forms", name: "Forms", icon: FileText, letter: "f", also: "fields editor" },
      { to: "/conversations", name: "Conversations", icon: MessageSquareText, letter: "c", also: "assistant chat transcript" },
    ],
  },
  {
    title: "Deliver",
    places: [
      { to: "/workflows", name: "Workflows", icon: Workflow, letter: "w", also: "automation trigger steps templates" },
      { to: "/notifications", name: "Notifications", icon: Bell, letter: "n", also: "deliveries" },
      { to: "/mails", name: "Mails", icon: AtSign, letter: "m", also: "email outbox eml" },
    ],
  },
  {
    title: "Observe",
    places: [
      { to: "/events", name: "Events", icon: Radio, letter: "e", also: "log tail live" },
      { to: "/jobs", name: "Jobs", icon: ListChecks, letter: "j", also: "queue dead letters replay" },
      { to: "/traces", name: "Traces", icon: Waypoints, letter: "t", also: "waterfall timeline" },
      { to: "/requests", name: "Requests", icon: Activity, letter: "r", also: "log errors http" },
    ],
  },
  {
    title: "Control",
    places: [
      { to: "/keys", name: "API keys", icon: KeyRound, letter: "k", also: "secret publishable token scopes" },
      { to: "/members", name: "Members", icon: Users, letter: "p", also: "people team invite roles" },
      { to: "/audit", name: "Audit log", icon: ScrollText, letter: "a", also: "history who" },
      { to: "/settings", name: "Settings", icon: Settings, letter: ",", also: "tenant limits issuers health version" },
    ],
  },
];

export const PLACES: Place[] = NAV.flatMap((group) => group.places);
