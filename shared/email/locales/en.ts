/** What a mail says. `{name}` stands for a value of its data. */
export interface Wording {
  subject: string;
  heading: string;
  paragraphs: string[];
  /** On the button, where the mail has a link. */
  action?: string;
}

export const en = {
  layout: {
    code: "Your code:",
    orCode: "Or enter this code where you were asked for it:",
    address: "If the button does not work, open this address:",
    why: "You get this mail because of your account at {sender}.",
    whyAddress: "This mail was sent to this address on behalf of {sender}.",
    always: "It is about the safety of your account, so it is always sent.",
    settings: "Choose whether you get mails like this",
    digestOf: "{text} ({count})",
    page: "Mails like this: {what}",
    pageNow: "This is what holds now. Choose what should.",
    pageInstant: "At once",
    pageDaily: "Once a day, with others",
    pageWeekly: "Once a week, with others",
    pageOff: "Not at all",
    pageSave: "Save",
    pageSaved: "Saved.",
    pageFixed: "It is about the safety of your account and is always sent.",
  },
  templates: {
    "admin.warning": {
      subject: "You were warned",
      heading: "You were warned",
      paragraphs: [
        "Reason: {reason}",
        "The warning ends: {until}.",
        "You may object to it once, in the app; somebody else will look at it again.",
      ],
    },
    "admin.suspension": {
      subject: "Your membership is suspended",
      heading: "Your membership is suspended",
      paragraphs: [
        "Reason: {reason}",
        "It opens again: {until}.",
        "You may object to it once, in the app, also while it is suspended; somebody else will look at it again.",
      ],
    },
    "admin.ban": {
      subject: "Your membership was ended",
      heading: "You were banned from {sender}",
      paragraphs: [
        "Reason: {reason}",
        "You may object to it once, in the app; somebody else will look at it again.",
      ],
    },
    "admin.restriction": {
      subject: "Your rights were restricted",
      heading: "Your rights were restricted",
      paragraphs: [
        "Reason: {reason}",
        "They come back: {until}.",
        "You may object to it once, in the app; somebody else will look at it again.",
      ],
    },
    "admin.ended": {
      subject: "A decision about you has ended",
      heading: "A decision about you has ended",
      paragraphs: [
        "It was taken for this reason: {reason}",
        "It no longer stands.",
      ],
    },
    "admin.appeal_submitted": {
      subject: "A member objects to a decision",
      heading: "A member objects to a decision",
      paragraphs: [
        "Somebody else than who took it has to look at it again.",
      ],
    },
    "admin.appeal_upheld": {
      subject: "The decision stands",
      heading: "The decision about you stands",
      paragraphs: [
        "Somebody else looked at it again. Their answer: {answer}",
      ],
    },
    "admin.appeal_overturned": {
      subject: "The decision was taken back",
      heading: "The decision about you was taken back",
      paragraphs: [
        "Somebody else looked at it again. Their answer: {answer}",
      ],
    },
    "admin.people_stuck": {
      subject: "People are waiting to get in",
      heading: "People are waiting to get in",
      paragraphs: [
        "People who have been waiting for three days: {people}. Look at those on the way in.",
      ],
    },
    "admin.impersonated": {
      subject: "An admin looked at {sender} as you",
      heading: "An admin looked at {sender} as you",
      paragraphs: [
        "{name} saw what you see, from {began} on, for a quarter of an hour at most. Nothing could be changed.",
        "Reason: {reason}",
      ],
    },
    "admin.impersonated_writing": {
      subject: "An admin acted at {sender} as you",
      heading: "An admin acted at {sender} as you",
      paragraphs: [
        "{name} was able to see and change what you can, from {began} on, for a quarter of an hour at most. Nothing could be paid.",
        "Reason: {reason}",
      ],
    },
    "admin.person_banned": {
      subject: "Your account is closed",
      heading: "Your account is closed",
      paragraphs: [
        "Reason: {reason}",
        "It opens again: {until}.",
      ],
    },
    "admin.person_readmitted": {
      subject: "Your account is open again",
      heading: "Your account is open again",
      paragraphs: [
        "You can sign in as before.",
      ],
    },
    "auth.signup": {
      subject: "Confirm your email address",
      heading: "Welcome",
      paragraphs: ["Please confirm that this is your address, and your account is ready."],
      action: "Confirm my address",
    },
    "auth.invite": {
      subject: "You have been invited",
      heading: "You have been invited",
      paragraphs: ["Somebody would like you to join. Accept to set up your account."],
      action: "Accept the invitation",
    },
    "auth.magiclink": {
      subject: "Your sign-in link",
      heading: "Sign in",
      paragraphs: ["Use this link to sign in. It works once, and for an hour."],
      action: "Sign in",
    },
    "auth.recovery": {
      subject: "Reset your password",
      heading: "Reset your password",
      paragraphs: [
        "Somebody, hopefully you, asked for a new password for this account.",
        "If it was not you, there is nothing to do: the password stays as it is.",
      ],
      action: "Choose a new password",
    },
    "auth.email_change": {
      subject: "Confirm the change of your email address",
      heading: "Change of your email address",
      paragraphs: [
        "The address of your account is to change from {old_email} to {new_email}.",
        "If you did not ask for this, do not confirm it, and change your password.",
      ],
      action: "Confirm the change",
    },
    "auth.reauthentication": {
      subject: "Confirm that it is you",
      heading: "Confirm that it is you",
      paragraphs: ["Enter this code where you were asked for it. Tell it to nobody."],
    },
    "auth.password_changed": {
      subject: "Your password was changed",
      heading: "Your password was changed",
      paragraphs: ["If it was not you, reset your password now."],
    },
    "auth.email_changed": {
      subject: "Your email address was changed",
      heading: "Your email address was changed",
      paragraphs: [
        "Your account had the address {old_email} until now.",
        "If it was not you who changed it, ask for help at once.",
      ],
    },
    "auth.phone_changed": {
      subject: "Your phone number was changed",
      heading: "Your phone number was changed",
      paragraphs: ["If it was not you, reset your password now."],
    },
    "auth.identity_linked": {
      subject: "A new way to sign in was added",
      heading: "A new way to sign in was added",
      paragraphs: [
        "Your account can be entered through {provider} now.",
        "If it was not you who added it, reset your password now.",
      ],
    },
    "auth.identity_unlinked": {
      subject: "A way to sign in was removed",
      heading: "A way to sign in was removed",
      paragraphs: [
        "Your account can no longer be entered through {provider}.",
        "If it was not you who removed it, reset your password now.",
      ],
    },
    "auth.factor_enrolled": {
      subject: "A second factor was added",
      heading: "A second factor was added",
      paragraphs: ["If it was not you, reset your password now."],
    },
    "auth.factor_unenrolled": {
      subject: "A second factor was removed",
      heading: "A second factor was removed",
      paragraphs: ["If it was not you, reset your password now."],
    },
    "feed.mentioned": {
      subject: "{name} mentioned you",
      heading: "{name} mentioned you at {sender}",
      paragraphs: ["Somebody named you in the feed."],
      action: "Show me",
    },
    "feed.answered": {
      subject: "{name} answered your comment",
      heading: "{name} answered your comment",
      paragraphs: ["There is an answer to your comment in the feed."],
      action: "Show me",
    },
    "feed.commented": {
      subject: "{name} commented on your post",
      heading: "{name} commented on your post",
      paragraphs: ["There is a comment on your post in the feed."],
      action: "Show me",
    },
    "files.rejected": {
      subject: "A file of yours was refused",
      heading: "A file of yours was refused",
      paragraphs: [
        "A reviewer did not let {name} through. Nobody else sees it, and it is deleted after 30 days.",
      ],
    },
    "newsletters.issue": {
      subject: "{subject}",
      heading: "Newsletter of {sender}",
      paragraphs: [],
    },
    "newsletters.test": {
      subject: "{subject}",
      heading: "Newsletters of {sender}, for a look at them",
      paragraphs: [],
    },
    "newsletters.stopped": {
      subject: "A newsletter was stopped: {name}",
      heading: "A newsletter was stopped",
      paragraphs: [
        "Too many mails of “{name}” came back. No more of them leave until somebody resumes it.",
      ],
    },
    "notifications.digest": {
      subject: "What is new at {sender}",
      heading: "What is new at {sender}",
      paragraphs: ["This is what you wanted to read together:"],
    },
    "sessions.new_device": {
      subject: "New sign-in to your account",
      heading: "New sign-in",
      paragraphs: [
        "Your account was signed in to from a device it had not been used on before: {device}. Time: {time}. Country: {place}.",
        "If it was not you, end that session in your list of devices and change your password.",
      ],
    },
    "sessions.replayed": {
      subject: "A device was signed out for safety",
      heading: "A device was signed out for safety",
      paragraphs: [
        "Somebody used an old key of your session on this device once more: {device}. The key may have been copied, so the session was ended for everybody.",
        "Sign in again there. If this happens again, change your password and look for unwanted software on the device.",
      ],
    },
    "device_codes.approved": {
      subject: "A device was connected to your account",
      heading: "A device was connected",
      paragraphs: [
        "You let this device sign in to {tenant}: {device}.",
        "If it was not you, end its session in your list of devices and change your password.",
      ],
    },
    "api_keys.new_network": {
      subject: "Your API key is used from somewhere else",
      heading: "An API key is used from somewhere else",
      paragraphs: [
        "The API key {name} for {tenant} was used from an address in another network than before: {address}, {time}.",
        "If that was not a program of yours, revoke the key: somebody may have copied it.",
      ],
    },
    "api_keys.returned": {
      subject: "Your API key is used again",
      heading: "An API key is used again",
      paragraphs: [
        "The API key {name} for {tenant} was used for the first time in 30 days or more, from {address}, {time}.",
        "If that was not a program of yours, or you no longer need it, revoke the key.",
      ],
    },
    "api_keys.created": {
      subject: "An API key was made for your account",
      heading: "A new API key",
      paragraphs: [
        "The API key {name} was made for {tenant}. It is good until {until}.",
        "If it was not you, revoke it, and change your password.",
      ],
    },
    "goals.checked_in": {
      subject: "News of “{title}”",
      heading: "News of “{title}”",
      paragraphs: ["Somebody checked in. See how far it has come."],
    },
    "goals.reached": {
      subject: "Reached: {title}",
      heading: "Reached",
      paragraphs: ["“{title}” is done. You helped with it."],
    },
    "goals.invited": {
      subject: "{name} asks you to help",
      heading: "{name} asks you to help with a goal",
      paragraphs: ["“{title}”. You decide whether you join."],
    },
    "goals.joined": {
      subject: "{name} helps you",
      heading: "{name} helps you with a goal",
      paragraphs: ["With “{title}” you are not alone any more."],
    },
    "goals.deadline": {
      subject: "“{title}” ends on {deadline}",
      heading: "Your goal ends on {deadline}",
      paragraphs: ["“{title}”: {progress} of {target} so far."],
    },
    "goals.missed": {
      subject: "The time for “{title}” is over",
      heading: "The time for your goal is over",
      paragraphs: ["“{title}”: {progress} of {target}. With a later day you go on."],
    },
    "goals.due": {
      subject: "Time to check in",
      heading: "Time to check in",
      paragraphs: ["How is “{title}” going? {progress} of {target} so far."],
    },
    "invitations.invitation": {
      subject: "You are invited to {sender}",
      heading: "You are invited to {sender}",
      paragraphs: [
        "{sender} would like you to join. The invitation is for this address, once, until {date}.",
        "If you do not know why you get it, there is nothing to do.",
      ],
      action: "Accept the invitation",
    },
    "listings.approved": {
      subject: "Your listing is visible",
      heading: "Your listing is visible",
      paragraphs: ["“{title}” was approved. Others see it from now on."],
      action: "See the listing",
    },
    "listings.rejected": {
      subject: "Your listing was not accepted",
      heading: "Your listing was not accepted",
      paragraphs: [
        "“{title}” is not shown to others. Reason: {reason}",
        "You may change it and hand it in again.",
      ],
      action: "See the listing",
    },
    "listings.waiting": {
      subject: "A listing waits to be looked at",
      heading: "A listing waits to be looked at",
      paragraphs: ["“{title}” is shown to others once somebody approves it."],
      action: "See the listing",
    },
    "listings.expiring": {
      subject: "Your listing ends soon",
      heading: "Your listing ends soon",
      paragraphs: ["“{title}” ends in {days} days. Renew it if it still holds."],
      action: "See the listing",
    },
    "listings.expired": {
      subject: "Your listing has ended",
      heading: "Your listing has ended",
      paragraphs: ["“{title}” is no longer shown to others. You can renew it."],
      action: "See the listing",
    },
    "listings.alert": {
      subject: "New: {title}",
      heading: "Found for you",
      paragraphs: ["“{title}” fits your search “{name}”."],
      action: "See the listing",
    },
    "listings.alerts": {
      subject: "Found for you: {count}",
      heading: "Found for you",
      paragraphs: ["New listings that fit your searches ({count}): {titles}"],
    },
    "members.admitted": {
      subject: "You are in",
      heading: "You are a member of {sender} now",
      paragraphs: ["Your request to join was accepted. Welcome."],
    },
    "members.confirm_address": {
      subject: "Please confirm your address",
      heading: "One step is left",
      paragraphs: [
        "You registered at {sender}. Confirm your address, and you come in; where you sign in, you can have the mail for it sent again.",
      ],
      action: "Continue",
    },
    "members.send_documents": {
      subject: "Your documents are still missing",
      heading: "One step is left",
      paragraphs: [
        "You registered at {sender}. To come in, please send the documents that it asks for.",
      ],
      action: "Continue",
    },
    "members.people_wait": {
      subject: "People wait to join {sender}",
      heading: "People wait to join {sender}",
      paragraphs: ["Waiting for a day or more: {count}. Please decide about them."],
      action: "See who waits",
    },
    "members.ownership_offered": {
      subject: "You are offered the ownership of {sender}",
      heading: "You are offered the ownership of {sender}",
      paragraphs: [
        "An owner of {sender} would like you to own it. Nothing changes unless you accept, within seven days.",
      ],
    },
    "members.ownership_moved": {
      subject: "{name} owns {sender} now",
      heading: "{name} owns {sender} now",
      paragraphs: [
        "The ownership that you offered was accepted. If it was not you who offered it, ask for help at once.",
      ],
    },
    "tenants.ownerless": {
      subject: "{tenant} has no owner any more",
      heading: "{tenant} has no owner any more",
      paragraphs: ["The last owner of {tenant} ({slug}) is gone. Please give it a new one."],
    },
    "accounts.verification": {
      subject: "Confirm your email address",
      heading: "Welcome",
      paragraphs: [
        "Please confirm that this is your address, and your account is ready. The link works once, for a day; the code for ten minutes.",
        "If you did not register, do not confirm: without it there is no account.",
      ],
      action: "Confirm my address",
    },
    "accounts.already_registered": {
      subject: "You have an account already",
      heading: "You have an account already",
      paragraphs: [
        "Somebody, hopefully you, tried to register with this address. Sign in instead, or reset your password if you do not know it any more.",
        "If it was not you, there is nothing to do: nothing was changed.",
      ],
    },
    "accounts.welcome": {
      subject: "Your account is ready",
      heading: "Your account is ready",
      paragraphs: ["Your address is confirmed, and you can sign in now."],
    },
    "accounts.reset": {
      subject: "Reset your password",
      heading: "Reset your password",
      paragraphs: [
        "Somebody, hopefully you, asked for a new password for this account. The link works once, for an hour; the code for ten minutes.",
        "If it was not you, there is nothing to do: the password stays as it is.",
      ],
      action: "Choose a new password",
    },
    "accounts.password_changed": {
      subject: "Your password was changed",
      heading: "Your password was changed",
      paragraphs: [
        "All other sessions of your account have ended.",
        "If it was not you, reset your password now.",
      ],
    },
    "accounts.reauthentication": {
      subject: "Confirm that it is you",
      heading: "Confirm that it is you",
      paragraphs: [
        "Enter this code where you were asked for it, within ten minutes. Tell it to nobody.",
        "If you were not asked for one, end your other sessions and change your password.",
      ],
    },
    "accounts.email_changed": {
      subject: "Your email address was changed",
      heading: "Your email address was changed",
      paragraphs: [
        "Your account had the address {old_email} until now. Nothing more will be sent there.",
        "If it was not you who changed it, ask for help at once.",
      ],
    },
    "accounts.deletion_opened": {
      subject: "Your account will be deleted",
      heading: "Your account will be deleted",
      paragraphs: [
        "As you asked, your account and what belongs to it will be erased on {date}.",
        "If you would rather stay, or it was not you who asked, sign in before that.",
      ],
    },
    "accounts.deletion_cancelled": {
      subject: "Your account stays",
      heading: "Your account stays",
      paragraphs: [
        "Your account will not be deleted.",
        "If you did not sign in or take it back yourself, reset your password now.",
      ],
    },
    "documents.approved": {
      subject: "Your document was approved",
      heading: "Your document was approved",
      paragraphs: ["{document}: it was checked and found good. Nothing is left for you to do."],
    },
    "documents.rejected": {
      subject: "Your document was not accepted",
      heading: "Your document was not accepted",
      paragraphs: ["{document} was checked and not accepted.", "The reason: {reason}"],
    },
    "documents.resubmission_wanted": {
      subject: "Please hand in your document again",
      heading: "Please hand in your document again",
      paragraphs: ["{document} could not be checked as it is.", "What is missing: {reason}"],
    },
    "documents.expiring": {
      subject: "Your document runs out soon",
      heading: "Your document runs out soon",
      paragraphs: ["{document} holds for {days} more days. Hand in the new one in time."],
    },
    "documents.expired": {
      subject: "Your document has run out",
      heading: "Your document has run out",
      paragraphs: ["{document} no longer holds. You can hand in a new one at any time."],
    },
    "documents.waiting": {
      subject: "Documents wait to be checked: {count}",
      heading: "Documents wait to be checked",
      paragraphs: ["Waiting for more than three days: {count}."],
    },
    "exchanges.requested": {
      subject: "{name} proposes an exchange of {amount}",
      heading: "{name} proposes an exchange of {amount}",
      paragraphs: ["You can accept or decline it."],
      action: "Answer",
    },
    "exchanges.accepted": {
      subject: "Your exchange of {amount} is agreed",
      heading: "Your exchange of {amount} is agreed",
      paragraphs: ["{name} accepted it. Say so in the app when it begins."],
      action: "Open the exchange",
    },
    "exchanges.declined": {
      subject: "An exchange of {amount} was declined",
      heading: "An exchange of {amount} was declined",
      paragraphs: ["{name} declined it. Nothing is paid."],
      action: "Open the exchange",
    },
    "exchanges.cancelled": {
      subject: "An exchange of {amount} was called off",
      heading: "An exchange of {amount} was called off",
      paragraphs: ["{name} ended it. Nothing is paid."],
      action: "Open the exchange",
    },
    "exchanges.expired": {
      subject: "An exchange of {amount} ran out",
      heading: "An exchange of {amount} ran out",
      paragraphs: ["Nobody went on with it in time. Nothing is paid."],
      action: "Open the exchange",
    },
    "exchanges.broker_wanted": {
      subject: "An exchange of {amount} waits for approval",
      heading: "An exchange of {amount} waits for approval",
      paragraphs: ["Those who take part have agreed. It begins once you approve it."],
      action: "Look at it",
    },
    "exchanges.started": {
      subject: "Your exchange with {name} has begun",
      heading: "Your exchange with {name} has begun",
      paragraphs: ["When it is over, confirm how long it was."],
      action: "Open the exchange",
    },
    "exchanges.confirmation_wanted": {
      subject: "{name} confirmed your exchange, now you",
      heading: "How long was it?",
      paragraphs: [
        "{name} has confirmed how long your exchange was. It is paid once you have, too.",
      ],
      action: "Confirm",
    },
    "exchanges.completed": {
      subject: "Your exchange is done: {amount}",
      heading: "Your exchange is done: {amount}",
      paragraphs: ["It was confirmed and paid. You can say now how it was."],
      action: "Write a review",
    },
    "exchanges.disputed": {
      subject: "Somebody will look at your exchange of {amount}",
      heading: "Somebody will look at your exchange of {amount}",
      paragraphs: [
        "You and the other side do not agree on how long it was, or not everybody has confirmed it in time.",
        "Somebody who does not take part decides. Until then you can add what they should know.",
      ],
      action: "Open the exchange",
    },
    "exchanges.mediation_wanted": {
      subject: "An exchange of {amount} waits for a decision",
      heading: "An exchange of {amount} waits for a decision",
      paragraphs: ["Those who take part do not agree. Decide what is paid, or that nothing is."],
      action: "Look at it",
    },
    "exchanges.escalated": {
      subject: "Nobody has decided about an exchange of {amount}",
      heading: "Nobody has decided about an exchange of {amount}",
      paragraphs: ["The time to decide it is over. Without a decision it is cancelled in the end."],
      action: "Look at it",
    },
    "exchanges.reminder": {
      subject: "An exchange of {amount} waits for you",
      heading: "An exchange of {amount} waits for you",
      paragraphs: ["Nothing has to be lost: open it and say how it goes on."],
      action: "Open the exchange",
    },
    "exchanges.reversed": {
      subject: "An exchange of {amount} was undone",
      heading: "An exchange of {amount} was undone",
      paragraphs: ["{name} took back what was paid for it."],
      action: "Open the exchange",
    },
    "exchanges.reviewed": {
      subject: "{name} rated your exchange: {rating} of 5",
      heading: "{name} rated your exchange: {rating} of 5",
      paragraphs: ["You can answer it once."],
      action: "Read and answer",
    },
    "exchanges.replied": {
      subject: "{name} answered your review",
      heading: "{name} answered your review",
      paragraphs: ["Their answer stands beside what you wrote."],
      action: "Read it",
    },
    "events.offered": {
      subject: "A seat is free: {title}",
      heading: "A seat is free: {title}",
      paragraphs: [
        "There is a seat for you at {title} on {time}. It is kept for you until {until}, then the next one gets it.",
      ],
      action: "Take it",
    },
    "events.changed": {
      subject: "Changed: {title}",
      heading: "Changed: {title}",
      paragraphs: ["{title} has changed. It takes place on {time}."],
      action: "See what changed",
    },
    "events.reminder": {
      subject: "{title}: {time}",
      heading: "{title}: {time}",
      paragraphs: ["You wanted to be reminded: {title} takes place on {time}."],
      action: "See the event",
    },
    "events.cancelled": {
      subject: "Cancelled: {title}",
      heading: "Cancelled: {title}",
      paragraphs: ["{title} on {time} does not take place."],
    },
    "groups.requested": {
      subject: "{name} wants to join {group}",
      heading: "{name} wants to join {group}",
      paragraphs: ["A request waits for you or another moderator of {group}."],
      action: "Decide",
    },
    "groups.invited": {
      subject: "{name} invites you to {group}",
      heading: "{name} invites you to {group}",
      paragraphs: ["You are invited to the group {group}."],
      action: "See the group",
    },
    "groups.announced": {
      subject: "{group}: {title}",
      heading: "{group}: {title}",
      paragraphs: ["There is an announcement in {group}: {title}."],
      action: "Read it",
    },
    "groups.admitted": {
      subject: "You are in: {group}",
      heading: "You are in: {group}",
      paragraphs: ["Your request was accepted: you are a member of {group} now."],
      action: "See the group",
    },
    "groups.refused": {
      subject: "Your request to join {group}",
      heading: "Your request to join {group}",
      paragraphs: ["A moderator did not accept your request to join {group}."],
    },
    "groups.removed": {
      subject: "You are not in {group} any more",
      heading: "You are not in {group} any more",
      paragraphs: ["A moderator took you out of {group}."],
    },
    "groups.role_changed": {
      subject: "Your role in {group} changed",
      heading: "Your role in {group} changed",
      paragraphs: ["{name} gave you another role in {group}."],
      action: "See the group",
    },
    "groups.replied": {
      subject: "{name} replied: {title}",
      heading: "{name} replied: {title}",
      paragraphs: ["{name} replied to what you began in {group}: {title}."],
      action: "Read it",
    },
    "groups.digest": {
      subject: "This week in your groups at {sender}",
      heading: "This week in your groups at {sender}",
      paragraphs: ["This is what was new in your groups:"],
    },
    "gamification.badge": {
      subject: "You earned a badge: {name}",
      heading: "You earned a badge: {name}",
      paragraphs: ["It stands on your profile now."],
    },
    "gamification.level": {
      subject: "You reached level {level}",
      heading: "You reached level {level}",
      paragraphs: ["What you do for others adds up."],
    },
    "gamification.challenge": {
      subject: "You met the challenge: {name}",
      heading: "You met the challenge: {name}",
      paragraphs: ["Its points are yours."],
    },
    "gamification.season": {
      subject: "You finished among the first of {name}",
      heading: "You finished among the first of {name}",
      paragraphs: ["The season is over, and you are among its first three."],
    },
    "abuse.found": {
      subject: "Payments to look at",
      heading: "Payments to look at",
      paragraphs: ["A rule against abuse found something that waits for a reviewer."],
    },
    "abuse.decided": {
      subject: "About payments of yours",
      heading: "About payments of yours",
      paragraphs: [
        "A rule of the community found payments of yours, and a reviewer looked at them: {reason}",
        "You can see what was found, and object within 30 days.",
      ],
    },
    "abuse.appealed": {
      subject: "An objection waits",
      heading: "An objection waits",
      paragraphs: [
        "A member objects to a case. Somebody who did not decide it before has to look at it.",
      ],
    },
    "abuse.appeal_decided": {
      subject: "Your objection was decided",
      heading: "Your objection was decided",
      paragraphs: ["A second reviewer has looked at the case and answered your objection."],
    },
    "safeguarding.proposed": {
      subject: "A supporter is proposed",
      heading: "A supporter is proposed",
      paragraphs: ["You are asked whether you agree. You can refuse, and end it at any time."],
    },
    "safeguarding.answered": {
      subject: "A proposal was answered",
      heading: "A proposal was answered",
      paragraphs: ["Somebody has answered the proposal of a supporter."],
    },
    "safeguarding.ended": {
      subject: "A guardianship has ended",
      heading: "A guardianship has ended",
      paragraphs: ["The supporter's rights have ended with it."],
    },
    "safeguarding.vetting_expires": {
      subject: "A check of yours runs out soon",
      heading: "A check of yours runs out soon",
      paragraphs: ["It runs out within thirty days. Please have it renewed."],
    },
    "safeguarding.vetting_expired": {
      subject: "A check has run out",
      heading: "A check has run out",
      paragraphs: ["What asks for it is not possible until it is renewed."],
    },
    "safeguarding.restricted": {
      subject: "Something is not possible for you for now",
      heading: "Something is not possible for you for now",
      paragraphs: ["The reason: {reason}"],
    },
    "safeguarding.copied": {
      subject: "There is something new in a conversation you get copies of",
      heading: "There is something new in a conversation you get copies of",
      paragraphs: ["You can read it in the app. Each reading is recorded."],
    },
    "messaging.message": {
      subject: "{name} wrote to you",
      heading: "{name} wrote to you",
      paragraphs: ["There is a new message for you."],
      action: "Read it",
    },
    "messaging.mention": {
      subject: "{name} mentioned you",
      heading: "{name} mentioned you",
      paragraphs: ["You were mentioned in a conversation."],
      action: "Read it",
    },
    "messaging.reminder": {
      subject: "You wanted to be reminded",
      heading: "You wanted to be reminded",
      paragraphs: ["You asked to be reminded of a message."],
      action: "See the message",
    },
    "messaging.not_sent": {
      subject: "A message was not sent",
      heading: "A message was not sent",
      paragraphs: ["The message you scheduled could not be sent when its time came."],
      action: "See the conversation",
    },
    "moderation.reported": {
      subject: "Something was reported",
      heading: "Something was reported",
      paragraphs: ["A report waits for a moderator."],
    },
    "moderation.decided": {
      subject: "A decision about something of yours",
      heading: "A decision about something of yours",
      paragraphs: [
        "Something you posted was reported, and a moderator decided about it.",
        "You can read the reason and appeal within 30 days.",
      ],
      action: "Read and appeal",
    },
    "moderation.closed": {
      subject: "Your report was looked at",
      heading: "Your report was looked at",
      paragraphs: ["A moderator has decided about what you reported. Thank you for telling us."],
    },
    "moderation.appealed": {
      subject: "A decision was appealed",
      heading: "A decision was appealed",
      paragraphs: ["An appeal waits for a moderator who did not decide before."],
    },
    "moderation.appeal_decided": {
      subject: "Your appeal was decided",
      heading: "Your appeal was decided",
      paragraphs: ["A second moderator has looked at the decision and answered your appeal."],
    },
    "two_factor.enabled": {
      subject: "Two-step sign-in is on",
      heading: "Two-step sign-in is on",
      paragraphs: [
        "From now on your account asks for a code from your authenticator app.",
        "If it was not you who set this up, reset your password and ask for help at once.",
      ],
    },
    "two_factor.disabled": {
      subject: "Two-step sign-in is off",
      heading: "Two-step sign-in is off",
      paragraphs: [
        "Your account no longer asks for a code from your authenticator app.",
        "If it was not you who removed it, reset your password now.",
      ],
    },
    "two_factor.backup_code_used": {
      subject: "A backup code was used",
      heading: "A backup code was used",
      paragraphs: [
        "Somebody, hopefully you, signed in with one of your backup codes. Codes left: {left}.",
        "If it was not you, reset your password and have new backup codes made.",
      ],
    },
    "two_factor.backup_codes_replaced": {
      subject: "You have new backup codes",
      heading: "You have new backup codes",
      paragraphs: [
        "New backup codes were made for your account. The earlier ones no longer work.",
        "If it was not you, reset your password now.",
      ],
    },
    "two_factor.device_remembered": {
      subject: "A device of yours is remembered",
      heading: "{device} is remembered",
      paragraphs: [
        "Until {date} you can sign in there without your second factor. You can end that in your settings.",
        "If it was not you, reset your password: no device is remembered after that.",
      ],
    },
    "volunteering.signed_up": {
      subject: "Somebody wants to help: {title}",
      heading: "Somebody wants to help",
      paragraphs: ["“{title}” has a new volunteer."],
      action: "See the call",
    },
    "volunteering.accepted": {
      subject: "You help: {title}",
      heading: "You help",
      paragraphs: ["You were accepted for “{title}”."],
      action: "See the call",
    },
    "volunteering.declined": {
      subject: "{title}",
      heading: "This time without you",
      paragraphs: ["“{title}” has enough helpers, or looks for others. Thank you for offering."],
      action: "See the call",
    },
    "volunteering.cancelled": {
      subject: "Cancelled: {title}",
      heading: "Cancelled",
      paragraphs: ["“{title}” does not take place."],
      action: "See the call",
    },
    "volunteering.hours_submitted": {
      subject: "Hours to look at: {title}",
      heading: "Hours to look at",
      paragraphs: ["A volunteer of “{title}” logged hours. Somebody who runs it approves them."],
      action: "See the call",
    },
    "volunteering.hours_approved": {
      subject: "Your hours count: {title}",
      heading: "Your hours count",
      paragraphs: ["{minutes} minutes of {day} for “{title}” were approved."],
      action: "See the call",
    },
    "volunteering.hours_rejected": {
      subject: "Your hours were not approved: {title}",
      heading: "Your hours were not approved",
      paragraphs: ["{minutes} minutes of {day} for “{title}”. Reason: {reason}"],
      action: "See the call",
    },
    "volunteering.hours_revoked": {
      subject: "An approval was taken back: {title}",
      heading: "An approval was taken back",
      paragraphs: ["{minutes} minutes of {day} for “{title}” count no more. Reason: {reason}"],
      action: "See the call",
    },
    "wallet.received": {
      subject: "You received {amount}",
      heading: "You received {amount}",
      paragraphs: ["It came from {name}."],
    },
    "wallet.charged": {
      subject: "{amount} left your account",
      heading: "{amount} left your account",
      paragraphs: ["It went to {name}."],
    },
    "wallet.held": {
      subject: "{name} set aside {amount} for you",
      heading: "{name} set aside {amount} for you",
      paragraphs: ["It becomes yours when you take it, and theirs again if it runs out."],
    },
    "wallet.hold_voided": {
      subject: "{amount} are yours to spend again",
      heading: "{amount} are yours to spend again",
      paragraphs: ["What you had set aside for {name} was released."],
    },
    "wallet.hold_expired": {
      subject: "A hold of {amount} ran out",
      heading: "A hold of {amount} ran out",
      paragraphs: ["It was between you and {name}. Nothing was paid."],
    },
    "wallet.requested": {
      subject: "{name} asks you for {amount}",
      heading: "{name} asks you for {amount}",
      paragraphs: ["You can accept or decline it in the app."],
    },
    "wallet.request_reminder": {
      subject: "{name} still waits for {amount}",
      heading: "{name} still waits for {amount}",
      paragraphs: [
        "Half of the time to answer has passed. You can accept or decline it in the app.",
      ],
    },
    "wallet.request_declined": {
      subject: "{name} declined to pay {amount}",
      heading: "{name} declined to pay {amount}",
      paragraphs: ["Your request is closed."],
    },
    "wallet.request_cancelled": {
      subject: "{name} no longer asks for {amount}",
      heading: "{name} no longer asks for {amount}",
      paragraphs: ["The request was taken back."],
    },
    "wallet.request_expired": {
      subject: "Your request for {amount} ran out",
      heading: "Your request for {amount} ran out",
      paragraphs: ["{name} did not answer in time."],
    },
    "wallet.balance_low": {
      subject: "The balance of {name} is low: {amount}",
      heading: "The balance is low",
      paragraphs: ["The account of {name} has {amount}."],
    },
    "wallet.balance_critical": {
      subject: "The balance of {name} is nearly used up: {amount}",
      heading: "The balance is nearly used up",
      paragraphs: ["The account of {name} has {amount}."],
    },
    "wallet.balance_high": {
      subject: "The balance of {name} is high: {amount}",
      heading: "There is much to spend",
      paragraphs: ["The account of {name} has {amount}. A community lives by what goes round."],
    },
    "wallet.nudge": {
      subject: "The balance of {name} has stood at {amount} for a while",
      heading: "The balance has stood still for a while",
      paragraphs: ["The account of {name} has been beyond its limit for thirty days: {amount}."],
    },
    "wallet.account_frozen": {
      subject: "The account of {name} was frozen",
      heading: "The account was frozen",
      paragraphs: ["Nothing leaves or reaches it until an administrator unfreezes it."],
    },
    "wallet.account_unfrozen": {
      subject: "The account of {name} is open again",
      heading: "The account is open again",
      paragraphs: ["It can be used as before."],
    },
    "wallet.account_closed": {
      subject: "The account of {name} was closed",
      heading: "The account was closed",
      paragraphs: ["What was on it has been passed on."],
    },
    "wallet.broken": {
      subject: "The ledger of {name} does not add up",
      heading: "A ledger does not add up",
      paragraphs: [
        "The nightly check of {name} found a difference. Ask for the proof (wallet_reconcile) and look at the trail before anything else is booked.",
      ],
    },
    "passkeys.added": {
      subject: "A passkey was added",
      heading: "A passkey was added",
      paragraphs: [
        "Your account at {domain} can be entered by the passkey “{name}” now.",
        "If it was not you who added it, reset your password and remove the passkey at once.",
      ],
    },
    "passkeys.removed": {
      subject: "A passkey was removed",
      heading: "A passkey was removed",
      paragraphs: [
        "The passkey “{name}” for {domain} no longer opens your account.",
        "If it was not you who removed it, reset your password now.",
      ],
    },
    "passkeys.copied": {
      subject: "A passkey was refused",
      heading: "A passkey was refused",
      paragraphs: [
        "Somebody used the passkey “{name}” for {domain} in a way that looks as if there were a copy of it.",
        "Remove this passkey, and make a new one on a device that you trust.",
      ],
    },
  } satisfies Record<string, Wording>,
};

export type TemplateName = keyof typeof en.templates;

/** A language: every template in its words. */
export interface Language {
  /** Where its lines begin; left where nothing is said. */
  direction?: "rtl";
  layout: Record<keyof typeof en.layout, string>;
  templates: Record<TemplateName, Wording>;
}
