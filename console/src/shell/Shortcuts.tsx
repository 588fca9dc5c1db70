import { Kbd } from "../ui/Button";
import { Dialog } from "../ui/Dialog";
import { PLACES } from "./nav";

const GENERAL: [keys: string[], what: string][] = [
  [["⌘", "K"], "Go to, do, or open an id"],
  [["?"], "This list"],
  [["/"], "Search the list"],
  [["J"], "Next row"],
  [["K"], "Previous row"],
  [["↵"], "Open the row"],
  [["X"], "Select the row"],
  [["U"], "Back up to the list"],
  [["C"], "Create, where something can be created"],
  [["Esc"], "Close, or leave the field"],
];

const TRACE: [keys: string[], what: string][] = [
  [["↑", "↓"], "Walk the spans"],
  [["←", "→"], "Fold and unfold"],
  [["Home", "End"], "First and last span"],
];

export function Shortcuts({ open, onClose }: { open: boolean; onClose: () => void }) {
  return (
    <Dialog open={open} onClose={onClose} title="Keyboard shortcuts" readOnly className="max-w-2xl">
      <div className="grid gap-x-10 gap-y-6 sm:grid-cols-2">
        <div className="space-y-6">
          <Keys title="Everywhere" rows={GENERAL} />
          <Keys title="In a trace" rows={TRACE} />
        </div>
        <Keys title="Go to" rows={PLACES.map((place) => [["G", place.letter.toUpperCase()], place.name])} />
      </div>
    </Dialog>
  );
}

function Keys({ title, rows }: { title: string; rows: [string[], string][] }) {
  return (
    <section>
      <h3 className="label mb-1">{title}</h3>
      <dl>
        {rows.map(([keys, what]) => (
          <div key={what} className="flex items-center justify-between gap-4 border-b border-line/60 py-1 last:border-0">
            <dt>{what}</dt>
            <dd className="flex gap-1">
              {keys.map((key) => (
                <Kbd key={key}>{key}</Kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
