import { useNavigate, useRouter } from "@tanstack/react-router";
import { ArrowRight, CornerDownLeft, Hash, Moon, Plus, Sun, SunMoon, type LucideIcon } from "lucide-react";
import { useId, useMemo, useRef, useState } from "react";
import { routeForId } from "../lib/ids";
import { chooseTheme } from "../lib/theme";
import { rank } from "../lib/rank";
import { Kbd } from "../ui/Button";
import { cx } from "../ui/cx";
import { Dialog } from "../ui/Dialog";
import { PLACES } from "./nav";

interface Command {
  id: string;
  name: string;
  also?: string;
  icon: LucideIcon;
  hint?: string;
  run: () => void;
}

/** Everything by name: places, deeds, and any id pasted in. */
export function Palette({ open, onClose, onShortcuts }: { open: boolean; onClose: () => void; onShortcuts: () => void }) {
  return (
    <Dialog open={open} onClose={onClose} title="Go to or do" bare className="mt-[12dvh] mb-auto max-w-xl overflow-hidden">
      <PaletteBody onClose={onClose} onShortcuts={onShortcuts} />
    </Dialog>
  );
}

function PaletteBody({ onClose, onShortcuts }: { onClose: () => void; onShortcuts: () => void }) {
  const navigate = useNavigate();
  const router = useRouter();
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const list = useRef<HTMLUListElement>(null);
  const listId = useId();

  const commands = useMemo<Command[]>(() => {
    const go = (to: string, search?: Record<string, unknown>) => () => void navigate({ to: to as ".", search: search as never });
    return [
      ...PLACES.map((place) => ({ id: place.to, name: place.name, also: place.also, icon: place.icon, hint: `G ${place.letter.toUpperCase()}`, run: go(place.to) })),
      { id: "new-form", name: "Create a form", icon: Plus, run: go("/forms", { new: true }) },
      { id: "new-workflow", name: "Create a workflow", icon: Plus, run: go("/workflows", { new: true }) },
      { id: "new-key", name: "Create an API key", icon: Plus, run: go("/keys", { new: true }) },
      { id: "invite", name: "Invite a member", icon: Plus, run: go("/members", { new: true }) },
      { id: "dead", name: "Dead letters", also: "failed jobs replay", icon: ArrowRight, run: go("/jobs", { state: "dead" }) },
      { id: "errors", name: "Failed requests", also: "5xx errors", icon: ArrowRight, run: go("/requests", { status: "5xx" }) },
      { id: "unread", name: "Unread messages", icon: ArrowRight, run: go("/inbox", { unread: true }) },
      { id: "light", name: "Light theme", icon: Sun, run: () => chooseTheme("light") },
      { id: "dark", name: "Dark theme", icon: Moon, run: () => chooseTheme("dark") },
      { id: "system", name: "Theme of the system", icon: SunMoon, run: () => chooseTheme("system") },
      { id: "keys", name: "Keyboard shortcuts", icon: Hash, hint: "?", run: onShortcuts },
    ];
  }, [navigate, onShortcuts]);

  const address = routeForId(text);
  const jump: Command[] = address ? [{ id: "jump", name: `Open ${text.trim()}`, icon: CornerDownLeft, run: () => router.history.push(router.basepath.replace(/\/$/, "") + address) }] : [];
  const found = [...jump, ...rank(text, commands, (c) => c.name, (c) => c.also ?? "")];
  const chosen = Math.min(at, found.length - 1);

  const choose = (command: Command | undefined) => {
    if (!command) return;
    onClose();
    command.run();
  };
  const move = (to: number) => {
    const next = (to + found.length) % Math.max(1, found.length);
    setAt(next);
    list.current?.children[next]?.scrollIntoView({ block: "nearest" });
  };

  return (
    <div>
      <input
        autoFocus
        role="combobox"
        aria-expanded="true"
        aria-controls={listId}
        aria-activedescendant={found[chosen] ? `${listId}-${found[chosen].id}` : undefined}
        aria-label="Search places, actions, or paste an id"
        placeholder="Go to, do, or paste any id…"
        spellCheck={false}
        autoComplete="off"
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
        }}
        onKeyDown={(event) => {
          if (event.key === "ArrowDown" || (event.ctrlKey && event.key === "n")) {
            event.preventDefault();
            move(chosen + 1);
          } else if (event.key === "ArrowUp" || (event.ctrlKey && event.key === "p")) {
            event.preventDefault();
            move(chosen - 1);
          } else if (event.key === "Enter") {
            event.preventDefault();
            choose(found[chosen]);
          }
        }}
        className="h-12 w-full border-b border-line bg-transparent px-4 text-base outline-none placeholder:text-faint max-sm:text-[16px]"
      />
      <ul ref={list} id={listId} role="listbox" aria-label="Results" className="max-h-[min(26rem,60dvh)] overflow-y-auto p-1.5">
        {found.map((command, index) => (
          <li
            key={command.id}
            id={`${listId}-${command.id}`}
            role="option"
            aria-selected={index === chosen}
            onPointerMove={() => setAt(index)}
            onClick={() => choose(command)}
            className={cx("flex h-9 items-center gap-3 rounded-md px-2.5 max-sm:h-11", index === chosen && "bg-hover")}
          >
            <command.icon className={cx("size-4 shrink-0", index === chosen ? "text-accent" : "text-faint")} aria-hidden="true" />
            <span className="min-w-0 flex-1 truncate">{command.name}</span>
            {command.hint && (
              <span className="flex gap-1 max-sm:hidden">
                {command.hint.split(" ").map((key) => (
                  <Kbd key={key}>{key}</Kbd>
                ))}
              </span>
            )}
          </li>
        ))}
      </ul>
      {found.length === 0 && <p className="px-4 pb-6 text-center text-muted">Nothing by that name. Ids, trace ids and page names all work.</p>}
    </div>
  );
}
