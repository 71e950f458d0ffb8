import sanitize from "sanitize-html";

/** Elements of running text: what a newsletter or a listing needs, nothing that acts or frames. */
const elements = [
  ...["p", "br", "hr", "h2", "h3", "h4", "blockquote", "pre", "code", "ul", "ol", "li"],
  ...["a", "b", "strong", "i", "em", "u", "s", "sub", "sup", "span", "img"],
  ...["table", "thead", "tbody", "tr", "th", "td"],
];

/**
 * Rich text as it may be stored and shown: sanitised on write, so that every reader is safe, mails
 * and exports included. Scripts, styles, forms, frames, handlers and foreign schemes are gone.
 */
export function sanitizeHtml(html: string): string {
  return sanitize(html, {
    allowedTags: elements,
    allowedAttributes: {
      a: ["href", "title", "rel"],
      img: ["src", "alt", "width", "height"],
      th: ["colspan", "rowspan"],
      td: ["colspan", "rowspan"],
    },
    allowedSchemes: ["https", "http", "mailto"],
    allowedSchemesByTag: { img: ["https"] },
    allowProtocolRelative: false,
    disallowedTagsMode: "discard",
    parseStyleAttributes: false,
    nestingLimit: 50,
    transformTags: {
      h1: "h2",
      a: sanitize.simpleTransform("a", { rel: "noopener noreferrer nofollow ugc" }),
    },
  });
}
