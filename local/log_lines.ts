const stamp = /^\d{4}-\d\d-\d\dT[\d:.]+Z /;

/** Which part of the stack wrote a line: a function's or process's name, or what it is about. */
export function partOf(line: string): string {
  const text = line.replace(stamp, "");
  const [, child] = /^\[(?:function )?([^\]]+)\]/.exec(text) ?? [];
  if (child !== undefined) return child.replaceAll(" ", "-");
  const [, part] = /^(auth|realtime|storage): /.exec(text) ?? [];
  if (part !== undefined) return part;
  return /^\S+ [A-Z]+ \/\S* \d{3} /.test(text) ? "requests" : "stack";
}

/** Lets through what the named parts wrote, with the lines that go on from it; all without names. */
export function chosen(parts: readonly string[]): (line: string) => boolean {
  let shown = parts.length === 0;
  return (line) => {
    if (parts.length > 0 && stamp.test(line)) shown = parts.includes(partOf(line));
    return shown;
  };
}

/** Cuts a stream of text into whole lines; what has no end yet waits for the rest. */
export function lineCutter(): (text: string) => string[] {
  let rest = "";
  return (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    return lines;
  };
}
