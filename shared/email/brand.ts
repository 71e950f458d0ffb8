import { oneLine } from "./headers.ts";

/** How a community looks in its mails. */
export interface Brand {
  name: string;
  logo_url: string | null;
  app_url: string | null;
  color: string | null;
  footer: string | null;
}

/** What the layout needs of it, with nothing in it that a reader could not read. */
export interface Look {
  logo: string | undefined;
  color: string;
  onColor: string;
  footer: string | undefined;
}

const ownColor = "#1e3a8a";
const longestFooter = 300;

/** A brand as it may be shown: only an encrypted picture, only a colour, and text upon it that can be read. */
export function lookOf(brand: Brand | null | undefined): Look {
  const color = /^#[0-9a-f]{6}$/i.test(brand?.color ?? "") ? brand!.color! : ownColor;
  const footer = oneLine(brand?.footer ?? "").slice(0, longestFooter);
  return {
    logo: brand?.logo_url?.startsWith("https://") ? brand.logo_url : undefined,
    color,
    // Whichever stands out more; one of them always reaches 4.5:1 (WCAG 1.4.3).
    onColor: contrast(color, "#ffffff") >= contrast(color, "#000000") ? "#ffffff" : "#000000",
    footer: footer || undefined,
  };
}

/** The contrast of two colours, after WCAG 2. */
export function contrast(a: string, b: string): number {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = parseInt(color.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
