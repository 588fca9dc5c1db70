/**
 * Shows the HTML of a mail without trusting it.
 *
 * A sandboxed frame would inherit the console's content security policy, which refuses the inline styles every mail is made of. So the mail
 * is parsed into an inert document, and only elements and style properties on these lists are built anew, inside a shadow root. Scripts,
 * forms, frames, remote images and event handlers have no way in, because nothing is copied that is not named here.
 */
const ELEMENTS = new Set(
  "a abbr article b blockquote br center code dd del div dl dt em font footer h1 h2 h3 h4 h5 h6 header hr i li main ol p pre q s section small span strong sub sup table tbody td tfoot th thead tr u ul".split(" "),
);
const ATTRIBUTES = new Set("align bgcolor border cellpadding cellspacing colspan dir lang role rowspan title valign width height".split(" "));
const STYLES =
  /^(background-color|border(-(top|right|bottom|left|radius|color|style|width|collapse|spacing))*|color|display|font(-(family|size|style|weight))?|letter-spacing|line-height|list-style(-type)?|margin(-(top|right|bottom|left))?|max-width|min-width|padding(-(top|right|bottom|left))?|text-(align|decoration|transform|indent)|vertical-align|white-space|width|word-break)$/;
const LINK = /^(https?:|mailto:|\/)/i;

export function showMail(host: HTMLElement, html: string) {
  const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  const source = new DOMParser().parseFromString(disarm(html), "text/html");
  const body = document.createElement("div");
  copyStyle(source.body, body);
  copyChildren(source.body, body);
  root.replaceChildren(body);
}

/** Renames what the policy would report while parsing; nothing depends on it, the lists below decide what is built. */
function disarm(html: string): string {
  return html.replace(/<[a-z][^>]*>/gi, (tag) => tag.replace(/\s(style|on[a-z]+)(\s*=)/gi, " data-$1$2"));
}

function copyChildren(from: Node, to: Node) {
  for (const child of from.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) to.appendChild(document.createTextNode(child.nodeValue ?? ""));
    else if (child instanceof Element || child.nodeType === Node.ELEMENT_NODE) copyElement(child as Element, to);
  }
}

function copyElement(from: Element, to: Node) {
  const name = from.localName;
  if (name === "img") {
    to.appendChild(document.createTextNode(`[picture${from.getAttribute("alt") ? `: ${from.getAttribute("alt")}` : ""}]`));
    return;
  }
  if (["script", "style", "head", "title", "template", "iframe", "object", "svg", "math", "noscript"].includes(name)) return;
  if (!ELEMENTS.has(name)) {
    copyChildren(from, to);
    return;
  }
  const made = document.createElement(name);
  for (const { name: attribute, value } of from.attributes) if (ATTRIBUTES.has(attribute)) made.setAttribute(attribute, value);
  if (made instanceof HTMLAnchorElement) link(made, from.getAttribute("href") ?? "");
  copyStyle(from, made);
  copyChildren(from, made);
  to.appendChild(made);
}

function link(anchor: HTMLAnchorElement, href: string) {
  if (!LINK.test(href.trim())) return;
  anchor.href = href.trim();
  anchor.target = "_blank";
  anchor.rel = "noopener noreferrer nofollow";
}

/** Styles are set property by property through the object model: a policy without inline styles allows that, and each can be looked at. */
function copyStyle(from: Element, to: HTMLElement) {
  for (const rule of (from.getAttribute("data-style") ?? "").split(";")) {
    const cut = rule.indexOf(":");
    if (cut < 0) continue;
    const property = rule.slice(0, cut).trim().toLowerCase();
    const value = rule.slice(cut + 1).replace(/!important/i, "").trim();
    if (STYLES.test(property) && !/url\s*\(|expression|var\s*\(/i.test(value)) to.style.setProperty(property, value);
  }
}
