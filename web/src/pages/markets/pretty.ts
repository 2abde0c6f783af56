/** JSON with line breaks for reading; its digits stay as they came. Pure. */

const INDENT = "  ";
const LONG = 200_000;

/** Break and indent outside of strings; what is not JSON, or is very long, stays as it is. */
export function pretty(text: string): string {
  const trimmed = text.trim();
  if (!/^[[{]/.test(trimmed) || trimmed.length > LONG) return text;
  try {
    JSON.parse(trimmed);
  } catch {
    return text;
  }
  let depth = 0;
  // Strings are taken whole, so that what stands in them is left alone.
  return trimmed.replace(/"(?:[^"\\]|\\.)*"|[{[]\s*[}\]]|[{}[\],:]|\s+/g, (part) => {
    if (part.startsWith('"')) return part;
    if (/^\s+$/.test(part)) return "";
    if (part.length > 1) return part.replace(/\s/g, "");
    if (part === ":") return ": ";
    if (part === ",") return `,\n${INDENT.repeat(depth)}`;
    if (part === "{" || part === "[") return `${part}\n${INDENT.repeat(++depth)}`;
    return `\n${INDENT.repeat(--depth)}${part}`;
  });
}
