import { variables } from "shared/config.ts";
import { join } from "./paths.ts";
import { root } from "./settings.ts";

const heading = [
  "Environment of the edge functions, made from shared/config.ts by `deno task env`.",
  "Here: copy to .env, which `deno task start` hands to them. Hosted: `supabase secrets set --env-file .env`.",
  "What stays commented out has its default; a placeholder that is left in keeps a function from starting.",
];

const comment = (text: string) => `# ${text}`;

/** The text of `.env.example`: every variable once, with its meaning and its default. */
export function envExample(): string {
  const entries = Object.entries(variables.shape);
  const own = entries.filter(([name]) => !name.startsWith("SUPABASE_")).map(
    ([name, { def, description = "" }]) => {
      const value = "defaultValue" in def ? String(def.defaultValue) : "";
      return `${comment(description)}\n# ${name}=${value}\n`;
    },
  );
  const given = entries.filter(([name]) => name.startsWith("SUPABASE_"))
    .map(([name, { description = "" }]) => comment(`${name}: ${description}`));
  return [
    heading.map(comment).join("\n") + "\n",
    ...own,
    [comment("The platform gives these itself, and lets nobody set them:"), ...given].join("\n") +
    "\n",
  ].join("\n");
}

export const envExamplePath = join(root, ".env.example");

if (import.meta.main) await Deno.writeTextFile(envExamplePath, envExample());
