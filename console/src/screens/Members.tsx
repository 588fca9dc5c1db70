import { useInfiniteQuery, useSuspenseQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { MailX, UserMinus, UserPlus } from "lucide-react";
import { useState } from "react";
import { invitesQuery, membersQuery, useChangeRole, useInvite, useRemoveMember, useRevokeInvite } from "../api/access";
import type { Invite, IssuedInvite, Member, Role } from "../api/models";
import { rowsOf } from "../api/pages";
import { fieldError, toProblem } from "../api/problem";
import { sessionQuery } from "../api/session";
import { words } from "../lib/format";
import { Button, IconButton } from "../ui/Button";
import { Confirm, Dialog, DialogActions } from "../ui/Dialog";
import { PickField, SelectField, TextField } from "../ui/Field";
import { Empty, PageHead, Section } from "../ui/Page";
import { ProblemNotice } from "../ui/Problem";
import { type Column, ResourceList } from "../ui/ResourceList";
import { Tag } from "../ui/State";
import { ActorText, Ago, CopyButton } from "../ui/Text";
import { toast } from "../ui/Toasts";

const ROLES: { role: Role; help: string }[] = [
  { role: "owner", help: "Everything, including removing the tenant and other owners." },
  { role: "admin", help: "Everything but ownership." },
  { role: "developer", help: "Definitions, keys and operations; no members." },
  { role: "viewer", help: "Reads." },
];

const route = getRouteApi("/app/members");

export function Members() {
  const { new: inviting } = route.useSearch();
  const navigate = useNavigate();
  const query = useInfiniteQuery(membersQuery());
  const { data: session } = useSuspenseQuery(sessionQuery);
  const change = useChangeRole();
  const remove = useRemoveMember();
  const [leaving, setLeaving] = useState<Member | null>(null);
  const mayManage = session.role === "owner" || session.role === "admin";
  const open = (yes: boolean) => void navigate({ to: "/members", search: yes ? { new: true } : {}, replace: true });
  const isMe = (member: Member) => member.id === session.member.id;
  const columns: Column<Member>[] = [
    {
      key: "name",
      head: "Member",
      cell: (row) => (
        <span className="flex min-w-0 items-center gap-2.5">
          <span className="grid size-6 shrink-0 place-items-center rounded-full bg-accent-wash text-2xs font-semibold text-accent" aria-hidden="true">
            {(row.name || row.email).charAt(0).toUpperCase()}
          </span>
          <span className="min-w-0">
            <span className="flex items-center gap-2">
              <span className="truncate font-medium">{row.name || row.email}</span>
              {isMe(row) && <Tag>you</Tag>}
            </span>
          </span>
        </span>
      ),
      className: "max-w-0 w-[30%] max-md:w-auto",
    },
    { key: "email", head: "E-mail", cell: (row) => <span className="block truncate text-muted">{row.email}</span>, from: "md", className: "max-w-0 w-[30%]" },
    {
      key: "role",
      head: "Role",
      className: "w-36",
      cell: (row) =>
        mayManage && !isMe(row) ? (
          <PickField
            name={`Role of ${row.name || row.email}`}
            value={row.role}
            className="max-sm:w-30"
            disabled={change.isPending && change.variables.id === row.id}
            onChange={(event) => {
              const role = event.target.value as Role;
              change.mutate({ id: row.id, role }, { onSuccess: () => toast(`${row.name || row.email} is now ${role}`), onError: (error) => toast(toProblem(error).detail ?? toProblem(error).title, "bad") });
            }}
          >
            {ROLES.map(({ role }) => (
              <option key={role} value={role}>
                {words(role)}
              </option>
            ))}
          </PickField>
        ) : (
          words(row.role)
        ),
    },
    { key: "seen", head: "Last login", cell: (row) => <Ago at={row.last_login_at} className="text-muted" />, from: "lg", align: "right" },
    {
      key: "do",
      head: <span className="sr-only">Actions</span>,
      align: "right",
      className: "w-24 max-sm:w-14",
      cell: (row) =>
        mayManage && !isMe(row) ? (
          <>
            <Button size="sm" look="quiet" className="hover:text-bad max-sm:hidden" aria-label={`Remove ${row.name || row.email}`} onClick={() => setLeaving(row)}>
              Remove
            </Button>
            <IconButton name={`Remove ${row.name || row.email}`} className="sm:hidden" onClick={() => setLeaving(row)}>
              <UserMinus className="size-4" />
            </IconButton>
          </>
        ) : null,
    },
  ];
  return (
    <>
      <PageHead
        title="Members"
        lead="Who may enter this tenant, and what for."
        actions={
          mayManage && (
            <Button look="primary" data-create="" onClick={() => open(true)} icon={<UserPlus className="size-3.5" />}>
              Invite
            </Button>
          )
        }
      />
      <ResourceList
        label="Members"
        query={query}
        columns={columns}
        under={(row) => <span className="block truncate pl-8.5">{row.email}</span>}
        empty={
          <Empty title="Only you" action={<Button look="primary" onClick={() => open(true)}>Invite someone</Button>}>
            An invitation is a link that works once.
          </Empty>
        }
      />
      {mayManage && <OpenInvites />}
      {inviting && <InviteDialog onClose={() => open(false)} canMakeOwners={session.role === "owner"} />}
      <Confirm
        open={leaving !== null}
        onClose={() => {
          setLeaving(null);
          remove.reset();
        }}
        title={`Remove ${leaving?.name || leaving?.email || ""}?`}
        verb="Remove"
        busy={remove.isPending}
        error={remove.error}
        onConfirm={() =>
          leaving &&
          remove.mutate(leaving.id, {
            onSuccess: () => {
              toast(`${leaving.name || leaving.email} was removed`);
              setLeaving(null);
            },
          })
        }
      >
        Their sessions end now and their personal keys stop working. What they did stays in the audit log under their name.
      </Confirm>
    </>
  );
}

const INVITE_COLUMNS: Column<Invite>[] = [
  { key: "email", head: "Invited", cell: (row) => <span className="block truncate font-medium">{row.email}</span>, className: "max-w-0 w-[30%] max-md:w-auto" },
  { key: "by", head: "By", cell: (row) => <ActorText actor={row.invited_by} />, from: "md", className: "w-[20%]" },
  { key: "role", head: "Role", cell: (row) => words(row.role), className: "w-36", from: "sm" },
  { key: "made", head: "Made", cell: (row) => <Ago at={row.created_at} className="text-muted" />, align: "right", from: "lg" },
  { key: "ends", head: "Ends", cell: (row) => <Ago at={row.expires_at} className="text-muted" />, align: "right", className: "w-24" },
];

/** Links that still let somebody in. What became of the others is in the audit log. */
function OpenInvites() {
  const query = useInfiniteQuery({
    ...invitesQuery(),
    select: (data) => ({ ...data, pages: data.pages.map((page) => ({ ...page, data: page.data.filter((invite) => invite.status === "open") })) }),
  });
  const revoke = useRevokeInvite();
  const [ending, setEnding] = useState<Invite | null>(null);
  const columns: Column<Invite>[] = [
    ...INVITE_COLUMNS,
    {
      key: "do",
      head: <span className="sr-only">Actions</span>,
      align: "right",
      className: "w-24 max-sm:w-14",
      cell: (row) => (
        <>
          <Button size="sm" look="quiet" className="hover:text-bad max-sm:hidden" aria-label={`Revoke the invitation of ${row.email}`} onClick={() => setEnding(row)}>
            Revoke
          </Button>
          <IconButton name={`Revoke the invitation of ${row.email}`} className="sm:hidden" onClick={() => setEnding(row)}>
            <MailX className="size-4" />
          </IconButton>
        </>
      ),
    },
  ];
  const none = query.isSuccess && rowsOf(query.data).length === 0;
  return (
    <Section title="Open invitations" lead={none ? undefined : "Each link works once. Its text was shown when it was made."} flush className="pb-0 sm:pb-0">
      <ResourceList
        label="Open invitations"
        query={query}
        columns={columns}
        under={(row) => words(row.role)}
        empty={
          <p className="flex items-center gap-3 px-4 py-4 text-muted sm:px-6">
            Nobody holds a link at the moment.
            {query.hasNextPage && (
              <Button size="sm" look="quiet" busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                Look further back
              </Button>
            )}
          </p>
        }
      />
      <Confirm
        open={ending !== null}
        onClose={() => {
          setEnding(null);
          revoke.reset();
        }}
        title={`Revoke the invitation of ${ending?.email ?? ""}?`}
        verb="Revoke"
        busy={revoke.isPending}
        error={revoke.error}
        onConfirm={() =>
          ending &&
          revoke.mutate(ending.id, {
            onSuccess: () => {
              toast(`The link of ${ending.email} no longer works`);
              setEnding(null);
            },
          })
        }
      >
        The link stops working now. You can invite the same address again.
      </Confirm>
    </Section>
  );
}

function InviteDialog({ onClose, canMakeOwners }: { onClose: () => void; canMakeOwners: boolean }) {
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<Role>("developer");
  const [made, setMade] = useState<IssuedInvite | null>(null);
  const invite = useInvite();
  if (made) {
    const link = new URL(made.url, location.origin).href;
    return (
      <Dialog open onClose={onClose} title="Send this link" description={`It lets ${made.email} in as ${made.role}, once, and is shown only now.`}>
        <div className="flex items-center gap-2 rounded-md border border-accent/40 bg-accent-wash py-2 pr-2 pl-3">
          <code className="mono min-w-0 flex-1 break-all select-all">{link}</code>
          <CopyButton text={link} name="Copy link" />
        </div>
        <p className="mt-2 text-xs text-muted">
          It ends <Ago at={made.expires_at} />.
        </p>
        <DialogActions>
          <Button look="primary" onClick={onClose}>
            Done
          </Button>
        </DialogActions>
      </Dialog>
    );
  }
  return (
    <Dialog open onClose={onClose} title="Invite a member" className="max-w-md">
      <form
        className="space-y-4"
        onSubmit={(event) => {
          event.preventDefault();
          invite.mutate({ email, role }, { onSuccess: setMade });
        }}
      >
        <TextField label="E-mail" type="email" required autoFocus value={email} onChange={(e) => setEmail(e.target.value)} error={fieldError(invite.error, "/email")} />
        <SelectField label="Role" value={role} onChange={(e) => setRole(e.target.value as Role)} help={ROLES.find((r) => r.role === role)?.help} error={fieldError(invite.error, "/role")}>
          {ROLES.filter((r) => canMakeOwners || r.role !== "owner").map((r) => (
            <option key={r.role} value={r.role}>
              {words(r.role)}
            </option>
          ))}
        </SelectField>
        {invite.isError && <ProblemNotice error={invite.error} shown={["/email", "/role"]} />}
        <DialogActions>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" busy={invite.isPending}>
            Make the link
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
