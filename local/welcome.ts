import type { Settings } from "./settings.ts";
import type { StackInfo } from "./stack.ts";
import { taskRunner } from "./terminal.ts";

/** What somebody who has just started the stack wants to know. */
export function welcome(info: StackInfo, settings: Settings): string {
  const rows: [string, string][] = [
    ["API URL", info.url],
    ["Publishable key", info.publishableKey],
    ["Secret key", info.secretKey],
    ["Database URL", info.databaseUrl],
    ["Mails sent", `http://127.0.0.1:${settings.ports.mail}`],
    ["Log", `${settings.home}/nexus.log`],
  ];
  const people = settings.seed ? demoPeople : [];
  const lines = [...rows, ...people, ...next(info, settings)]
    .map(([name, value]) => `  ${name.padEnd(18)}${value}`.trimEnd());
  return `\nNexus is ready. Ctrl-C stops it.\n\n${lines.join("\n")}\n`;
}

const demoPeople: [string, string][] = [
  ["", ""],
  ["Demo people", "owner, admin, staff, ana and ben, each @timebank.test, @cafe.test,"],
  ["", "@companion.test, @media.test and @campus.test; sam@nexus.test is in all five"],
  ["Password", "Nexus-demo-1"],
];

const next = ({ url }: StackInfo, { seed }: Settings): [string, string][] => [
  ["", ""],
  seed
    ? [
      "Try next",
      `${taskRunner()} demo     two members of the time bank trade, live (or: demo timebank)`,
    ]
    : ["Try next", `${taskRunner()} seed     five communities and their people`],
  ["", `${taskRunner()} status   the same values, for a script`],
  ["", `curl ${url}/functions/v1/api/health`],
];
