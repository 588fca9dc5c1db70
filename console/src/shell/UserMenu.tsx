import { Check, Keyboard, LogOut, Moon, Sun, SunMoon } from "lucide-react";
import { useNavigate } from "@tanstack/react-router";
import { DropdownMenu } from "radix-ui";
import type { Session } from "../api/models";
import { useLogout } from "../api/session";
import { toProblem } from "../api/problem";
import { chooseTheme, type ThemeChoice, useThemeChoice } from "../lib/theme";
import { words } from "../lib/format";
import { menuClass, menuItemClass } from "../ui/menu";
import { toast } from "../ui/Toasts";

const THEMES: [ThemeChoice, string, typeof Sun][] = [
  ["system", "As the system", SunMoon],
  ["light", "Light", Sun],
  ["dark", "Dark", Moon],
];

export function UserMenu({ session, onShortcuts }: { session: Session; onShortcuts: () => void }) {
  const theme = useThemeChoice();
  const logout = useLogout();
  const navigate = useNavigate();
  const { member } = session;
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger className="flex h-9 min-w-0 flex-1 items-center gap-2.5 rounded-md px-2 text-left transition-colors hover:bg-hover data-[state=open]:bg-hover">
        <span className="grid size-5 shrink-0 place-items-center rounded-full bg-accent-wash text-2xs font-semibold text-accent" aria-hidden="true">
          {(member.name || member.email).charAt(0).toUpperCase()}
        </span>
        <span className="min-w-0 truncate">{member.name || member.email}</span>
      </DropdownMenu.Trigger>
        <DropdownMenu.Content align="start" side="top" sideOffset={4} className={menuClass("w-56")}>
          <div className="px-2 pt-1 pb-2">
            <p className="truncate">{member.email}</p>
            <p className="text-xs text-muted">{words(session.role)}</p>
          </div>
          <DropdownMenu.Separator className="my-1 h-px bg-line" />
          <DropdownMenu.RadioGroup value={theme} onValueChange={(value) => chooseTheme(value as ThemeChoice)} aria-label="Theme">
            {THEMES.map(([value, name, Icon]) => (
              <DropdownMenu.RadioItem key={value} value={value} className={menuItemClass}>
                <Icon className="size-3.5 text-faint" />
                <span className="flex-1">{name}</span>
                {theme === value && <Check className="size-3.5 text-accent" />}
              </DropdownMenu.RadioItem>
            ))}
          </DropdownMenu.RadioGroup>
          <DropdownMenu.Separator className="my-1 h-px bg-line" />
          <DropdownMenu.Item className={menuItemClass} onSelect={onShortcuts}>
            <Keyboard className="size-3.5 text-faint" />
            Keyboard shortcuts
          </DropdownMenu.Item>
          <DropdownMenu.Item
            className={menuItemClass}
            onSelect={() => logout.mutate(undefined, { onSuccess: () => void navigate({ to: "/login" }), onError: (error) => toast(toProblem(error).title, "bad") })}
          >
            <LogOut className="size-3.5 text-faint" />
            Log out
          </DropdownMenu.Item>
        </DropdownMenu.Content>
    </DropdownMenu.Root>
  );
}
