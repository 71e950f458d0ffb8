import type { Mail } from "../../mail/mail.ts";

/** What a mail is about; each is the `email_action_type` of the `send_email` hook. */
export type MailAction =
  | "signup"
  | "invite"
  | "magiclink"
  | "recovery"
  | "email_change"
  | "reauthentication";

interface Template {
  subject: string;
  heading: string;
  invitation: string;
  button: string;
}

const templates: Record<MailAction, Template> = {
  signup: {
    subject: "Confirm your email address",
    heading: "Welcome",
    invitation: "Please confirm that this is your address, and your account is ready.",
    button: "Confirm my address",
  },
  invite: {
    subject: "You have been invited",
    heading: "You have been invited",
    invitation: "Somebody would like you to join. Accept to set up your account.",
    button: "Accept the invitation",
  },
  magiclink: {
    subject: "Your sign-in link",
    heading: "Sign in",
    invitation: "Use this link to sign in. It works once.",
    button: "Sign in",
  },
  recovery: {
    subject: "Reset your password",
    heading: "Reset your password",
    invitation: "Somebody, hopefully you, asked for a new password for this account.",
    button: "Choose a new password",
  },
  email_change: {
    subject: "Confirm your new email address",
    heading: "Change of your email address",
    invitation: "Please confirm the change of your email address.",
    button: "Confirm the change",
  },
  reauthentication: {
    subject: "Confirm that it is you",
    heading: "Confirm that it is you",
    invitation: "Enter this code where you were asked for it.",
    button: "",
  },
};

interface Content {
  to: string;
  code: string;
  link?: string;
  /** Said below the invitation, where a mail needs it. */
  note?: string;
}

export function renderMail(action: MailAction, { to, code, link, note }: Content): Mail {
  const { subject, heading, invitation, button } = templates[action];
  const sentences = note ? [invitation, note] : [invitation];
  const paragraphs = [
    ...sentences.map(escape),
    ...(link ? [`<a href="${escape(link)}">${button}</a>`] : []),
    `${link ? "Or enter the code" : "Your code is"} <strong>${code}</strong>`,
  ];
  const text = [heading, ...sentences, ...(link ? [`${button}: ${link}`] : []), `Code: ${code}`];
  return {
    to,
    subject,
    action,
    text: text.join("\n\n"),
    html: [`<h2>${heading}</h2>`, ...paragraphs.map((text) => `<p>${text}</p>`)].join("\n"),
    ...(link && { link }),
    code,
  };
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
