import type { Parts } from "./router.ts";

/** One path prefix of the project's URL, and how hosted's gateway treats it. */
export interface Service {
  prefix: string;
  part: keyof Parts;
  /** Whether the gateway answers CORS; functions answer for themselves. */
  cors: boolean;
  /** Whether the gateway asks for an `apikey` before the service sees the request. */
  needsKey(path: string): boolean;
  bodyLimit: number;
  /** Milliseconds until the service must have begun to answer. */
  deadline: number;
}

const mebibyte = 1024 ** 2;

// Opened by people from mails and by providers: a link carries no key.
const openAuthPaths =
  /^\/auth\/v1\/(verify|callback|authorize|sso\/saml\/(acs|metadata)|\.well-known\/.+|jwks)$/;

const services: Service[] = [
  {
    prefix: "/rest/v1",
    part: "rest",
    cors: true,
    needsKey: () => true,
    bodyLimit: 10 * mebibyte,
    deadline: 15_000,
  },
  {
    prefix: "/auth/v1",
    part: "auth",
    cors: true,
    needsKey: (path) => !openAuthPaths.test(path),
    bodyLimit: mebibyte,
    deadline: 15_000,
  },
  {
    prefix: "/storage/v1",
    part: "storage",
    cors: true,
    needsKey: () => false,
    bodyLimit: 50 * mebibyte,
    deadline: 60_000,
  },
  {
    // Sockets are checked by Realtime itself, which answers in its own words.
    prefix: "/realtime/v1",
    part: "realtime",
    cors: true,
    needsKey: (path) => path.startsWith("/realtime/v1/api"),
    bodyLimit: 5 * mebibyte,
    deadline: 15_000,
  },
  {
    prefix: "/functions/v1",
    part: "functions",
    cors: false,
    needsKey: () => false,
    bodyLimit: 20 * mebibyte,
    deadline: 150_000,
  },
];

export function serviceOf(path: string): Service | undefined {
  return services.find(({ prefix }) => path === prefix || path.startsWith(`${prefix}/`));
}
