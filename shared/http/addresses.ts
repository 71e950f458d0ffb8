import { isIP } from "node:net";

/** The eight groups of an IPv6 address; URL parsing knows every way to write one. */
function groupsOf(address: string): number[] {
  const [head = "", tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split("::");
  const parse = (part: string) =>
    part.split(":").filter(Boolean).map((group) => parseInt(group, 16));
  const [left, right] = [parse(head), parse(tail ?? "")];
  return [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right];
}

const isMapped = (groups: number[]) =>
  groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;

const toV4 = ([high = 0, low = 0]: number[]) => [high >> 8, high & 255, low >> 8, low & 255];

/**
 * What a limit by address counts: an IPv4 address, or the /64 of an IPv6 one, because that is the
 * least that every household gets and may choose addresses from as it likes.
 */
export function addressBlock(address: string): string {
  if (isIP(address) !== 6) return address;
  const groups = groupsOf(address);
  if (isMapped(groups)) return toV4(groups.slice(6)).join(".");
  return `${groups.slice(0, 4).map((group) => group.toString(16)).join(":")}::/64`;
}

/** IPv4 networks that are not the public Internet (IANA's special-purpose registry), and multicast. */
const specialV4: [string, number][] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
];

const numberOf = (address: string) =>
  address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);

const inNetwork = (address: string, [network, bits]: [string, number]) =>
  Math.floor(numberOf(address) / 2 ** (32 - bits)) ===
    Math.floor(numberOf(network) / 2 ** (32 - bits));

/** Whether an address belongs to the public Internet: not private, loopback, link-local or special. */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !specialV4.some((network) => inNetwork(address, network));
    case 6: {
      // Global unicast is 2000::/3. Within it, what tunnels to IPv4 or is reserved stays out.
      const [first = 0, second = 0] = groupsOf(address);
      const reserved = (first === 0x2001 && (second < 0x200 || second === 0xdb8)) ||
        first === 0x2002 || (first === 0x3fff && second < 0x1000);
      return first >> 13 === 1 && !reserved;
    }
    default:
      return false;
  }
}
