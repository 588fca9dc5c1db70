/** Where an id leads: every id that can be pasted into the palette, or stands in a payload, is a link. */
const ROUTES: Record<string, (id: string) => string> = {
  sub: (id) => `/submissions/${id}`,
  frm: (id) => `/forms/${id}`,
  job: (id) => `/jobs/${id}`,
  evt: (id) => `/events/${id}`,
  wf: (id) => `/workflows/${id}`,
  ntf: (id) => `/notifications/${id}`,
  eml: (id) => `/mails/${id}`,
  req: (id) => `/requests/${id}`,
  cnv: (id) => `/conversations/${id}`,
  inb: (id) => `/inbox/${id}`,
  key: () => "/keys",
  mbr: () => "/members",
  inv: () => "/members",
};

const TYPE_ID = /^([a-z]{2,5})_[0-9a-hjkmnp-tv-z]{26}$/;
const TRACE_ID = /^[0-9a-f]{32}$/;

/** The console's address of the thing with this id, or `null` when the text is no id, or one without a page. */
export function routeForId(text: string): string | null {
  const id = text.trim().toLowerCase();
  if (TRACE_ID.test(id)) return `/traces/${id}`;
  const prefix = TYPE_ID.exec(id)?.[1];
  const route = prefix === undefined ? undefined : ROUTES[prefix];
  return route ? route(id) : null;
}

/** A printed actor (`member:mbr_…`) as the words and the id to show. */
export function readActor(actor: string): { kind: string; id: string } {
  const cut = actor.indexOf(":");
  return cut < 0 ? { kind: actor, id: "" } : { kind: actor.slice(0, cut), id: actor.slice(cut + 1) };
}
