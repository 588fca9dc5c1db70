/** The names the screens use for the contract's types. The one place that changes when the contract's file does. */
export type * from "./types";
