/** A Content-Type header as Go's mime.ParseMediaType reads it, with its error texts. */

/** The type in lower case, or what is wrong with the header. */
export type MediaType = { readonly type: string } | { readonly error: string };

const TOKEN = "[!#$%&'*+\\-.^_`{|}~0-9A-Za-z]+";
const PARAMETER = new RegExp(`^\\s*;\\s*${TOKEN}\\s*=\\s*(?:${TOKEN}|"(?:[^"\\\\]|\\\\.)*")`);
const FIRST = new RegExp(`^${TOKEN}`);

/** Reads a header; parameters are checked and left away. */
export function parseMediaType(header: string): MediaType {
  const semicolon = header.indexOf(";");
  const base = (semicolon < 0 ? header : header.slice(0, semicolon)).trim();
  const error = typeError(base);
  if (error !== undefined) return { error: `mime: ${error}` };
  let rest = semicolon < 0 ? "" : header.slice(semicolon);
  while (!/^[\s;]*$/.test(rest)) {
    const parameter = PARAMETER.exec(rest)?.[0];
    if (parameter === undefined) return { error: "mime: invalid media parameter" };
    rest = rest.slice(parameter.length);
  }
  return { type: base.toLowerCase() };
}

function typeError(base: string): string | undefined {
  const type = FIRST.exec(base)?.[0];
  if (type === undefined) return "no media type";
  const afterType = base.slice(type.length);
  if (afterType === "") return undefined;
  if (!afterType.startsWith("/")) return "expected slash after first token";
  const subtype = FIRST.exec(afterType.slice(1))?.[0];
  if (subtype === undefined) return "expected token after slash";
  return afterType.length === subtype.length + 1
    ? undefined
    : "unexpected content after media subtype";
}
