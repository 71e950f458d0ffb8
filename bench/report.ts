/** One question, each contender's answers round by round, and how ours compares. */
export interface Row {
  title: string;
  results: { name: string; rates: number[] }[];
  /** Median over the rounds of ours divided by the best of the others in the same round. */
  ratio: number;
  /** Absent where the figure is only told. */
  target?: number;
}

export interface Report {
  name: string;
  unit: string;
  rows: Row[];
}

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The report as a table in Markdown, medians with ratio and target. */
export function toTable({ unit, rows }: Report): string {
  const lines = rows.map(({ title, results, ratio, target }) => {
    const rates = results.map(({ name, rates }) =>
      `${name} ${Math.round(median(rates)).toLocaleString("en")}`
    );
    const verdict = target === undefined
      ? " | "
      : `${target} | ${ratio >= target ? "reached" : "missed"}`;
    return `| ${title} | ${rates.join(", ")} | ${ratio.toFixed(2)} | ${verdict} |`;
  });
  return [`| | ${unit} | ratio | target | |`, "|---|---|---|---|---|", ...lines].join("\n");
}
