import { Check, ChevronsUpDown } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import { useSwitchTenant } from "../api/session";
import type { Session, TenantChoice } from "../api/models";
import { Tag } from "../ui/State";
import { toast } from "../ui/Toasts";
import { toProblem } from "../api/problem";
import { Mark } from "./Mark";
import { menuClass, menuItemClass } from "../ui/menu";

export function TenantMenu({ session }: { session: Session }) {
  const change = useSwitchTenant();
  const choose = (tenant: TenantChoice) => {
    if (tenant.id === session.tenant.id) return;
    change.mutate(tenant.id, { onSuccess: () => toast(`Now in ${tenant.name}`), onError: (error) => toast(toProblem(error).title, "bad") });
  };
  return (
    // Not modal: a modal menu would lock scrolling through an injected style sheet, which the page's policy refuses.
    // Not in a portal: on a phone the menu opens inside the drawer, and what lies outside an open dialog is inert.
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger className="flex h-9 w-full min-w-0 items-center gap-2.5 rounded-md px-2 text-left transition-colors hover:bg-hover data-[state=open]:bg-hover">
        <Mark className="size-[18px] shrink-0" />
        <span className="min-w-0 flex-1 truncate font-semibold tracking-[-0.01em]">{session.tenant.name}</span>
        <Mode tenant={session.tenant} />
        <ChevronsUpDown className="size-3.5 shrink-0 text-faint" aria-hidden="true" />
        <span className="sr-only">Switch tenant</span>
      </DropdownMenu.Trigger>
        <DropdownMenu.Content align="start" sideOffset={4} className={menuClass("w-60")}>
          <DropdownMenu.Label className="label px-2 pt-1 pb-1.5">Tenants</DropdownMenu.Label>
          {session.tenants.map((tenant) => (
            <DropdownMenu.Item key={tenant.id} className={menuItemClass} onSelect={() => choose(tenant)}>
              <span className="min-w-0 flex-1 truncate">{tenant.name}</span>
              <Mode tenant={tenant} />
              {tenant.id === session.tenant.id ? <Check className="size-3.5 text-accent" /> : <span className="w-3.5" />}
            </DropdownMenu.Item>
          ))}
        </DropdownMenu.Content>
    </DropdownMenu.Root>
  );
}

function Mode({ tenant }: { tenant: { mode: string } }) {
  return <Tag tone={tenant.mode === "test" ? "warn" : "accent"}>{tenant.mode}</Tag>;
}
