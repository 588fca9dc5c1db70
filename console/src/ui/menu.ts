import { cx } from "./cx";

export const menuClass = (extra?: string) => cx("z-50 animate-rise rounded-lg border border-line bg-raised p-1 shadow-pop", extra);

export const menuItemClass =
  "flex h-8 items-center gap-2.5 rounded-md px-2 outline-none data-highlighted:bg-hover data-disabled:opacity-50 max-sm:h-10";
