import type { Language } from "./en.ts";

export const de: Language = {
  layout: {
    code: "Ihr Code:",
    orCode: "Oder geben Sie diesen Code ein, wo Sie danach gefragt wurden:",
    address: "Wenn die Schaltfläche nicht funktioniert, öffnen Sie diese Adresse:",
    why: "Sie erhalten diese E-Mail wegen Ihres Kontos bei {sender}.",
    whyAddress: "Diese E-Mail ging im Namen von {sender} an diese Adresse.",
    always: "Sie betrifft die Sicherheit Ihres Kontos und wird deshalb immer gesendet.",
    settings: "Wählen, ob Sie solche E-Mails erhalten",
    digestOf: "{text} ({count})",
    page: "Solche E-Mails: {what}",
    pageNow: "So ist es jetzt. Wählen Sie, wie es sein soll.",
    pageInstant: "Sofort",
    pageDaily: "Einmal am Tag, mit anderen zusammen",
    pageWeekly: "Einmal in der Woche, mit anderen zusammen",
    pageOff: "Gar nicht",
    pageSave: "Speichern",
    pageSaved: "Gespeichert.",
    pageFixed: "Sie betrifft die Sicherheit Ihres Kontos und wird immer gesendet.",
  },
  templates: {
    "admin.warning": {
      subject: "Sie wurden verwarnt",
      heading: "Sie wurden verwarnt",
      paragraphs: [
        "Grund: {reason}",
        "Die Verwarnung endet: {until}.",
        "Sie können ihr einmal in der App widersprechen; dann sieht sie jemand anderes noch einmal an.",
      ],
    },
    "admin.suspension": {
      subject: "Ihre Mitgliedschaft ruht",
      heading: "Ihre Mitgliedschaft ruht",
      paragraphs: [
        "Grund: {reason}",
        "Sie ist wieder offen: {until}.",
        "Sie können dem einmal in der App widersprechen, auch solange sie ruht; dann sieht es jemand anderes noch einmal an.",
      ],
    },
    "admin.ban": {
      subject: "Ihre Mitgliedschaft wurde beendet",
      heading: "Sie wurden von {sender} ausgeschlossen",
      paragraphs: [
        "Grund: {reason}",
        "Sie können dem einmal in der App widersprechen; dann sieht es jemand anderes noch einmal an.",
      ],
    },
    "admin.restriction": {
      subject: "Ihre Rechte wurden eingeschränkt",
      heading: "Ihre Rechte wurden eingeschränkt",
      paragraphs: [
        "Grund: {reason}",
        "Sie kommen zurück: {until}.",
        "Sie können dem einmal in der App widersprechen; dann sieht es jemand anderes noch einmal an.",
      ],
    },
    "admin.ended": {
      subject: "Eine Entscheidung über Sie ist beendet",
      heading: "Eine Entscheidung über Sie ist beendet",
      paragraphs: [
        "Sie fiel aus diesem Grund: {reason}",
        "Sie gilt nicht mehr.",
      ],
    },
    "admin.appeal_submitted": {
      subject: "Ein Mitglied widerspricht einer Entscheidung",
      heading: "Ein Mitglied widerspricht einer Entscheidung",
      paragraphs: [
        "Jemand anderes, als wer sie getroffen hat, muss sie noch einmal ansehen.",
      ],
    },
    "admin.appeal_upheld": {
      subject: "Die Entscheidung gilt weiter",
      heading: "Die Entscheidung über Sie gilt weiter",
      paragraphs: [
        "Jemand anderes hat sie noch einmal angesehen. Die Antwort: {answer}",
      ],
    },
    "admin.appeal_overturned": {
      subject: "Die Entscheidung wurde zurückgenommen",
      heading: "Die Entscheidung über Sie wurde zurückgenommen",
      paragraphs: [
        "Jemand anderes hat sie noch einmal angesehen. Die Antwort: {answer}",
      ],
    },
    "admin.people_stuck": {
      subject: "Menschen warten auf Einlass",
      heading: "Menschen warten auf Einlass",
      paragraphs: [
        "So viele warten seit drei Tagen: {people}. Sehen Sie nach, wer auf dem Weg hinein ist.",
      ],
    },
    "admin.impersonated": {
      subject: "Ein Admin hat {sender} mit Ihren Augen gesehen",
      heading: "Ein Admin hat {sender} mit Ihren Augen gesehen",
      paragraphs: [
        "{name} hat ab {began} für höchstens eine Viertelstunde gesehen, was Sie sehen. Ändern ließ sich nichts.",
        "Grund: {reason}",
      ],
    },
    "admin.impersonated_writing": {
      subject: "Ein Admin hat bei {sender} für Sie gehandelt",
      heading: "Ein Admin hat bei {sender} für Sie gehandelt",
      paragraphs: [
        "{name} konnte ab {began} für höchstens eine Viertelstunde sehen und ändern, was Sie können. Bezahlen ließ sich nichts.",
        "Grund: {reason}",
      ],
    },
    "admin.person_banned": {
      subject: "Ihr Konto ist geschlossen",
      heading: "Ihr Konto ist geschlossen",
      paragraphs: [
        "Grund: {reason}",
        "Es ist wieder offen: {until}.",
      ],
    },
    "admin.person_readmitted": {
      subject: "Ihr Konto ist wieder offen",
      heading: "Ihr Konto ist wieder offen",
      paragraphs: [
        "Sie können sich anmelden wie zuvor.",
      ],
    },
    "auth.signup": {
      subject: "Bestätigen Sie Ihre E-Mail-Adresse",
      heading: "Willkommen",
      paragraphs: [
        "Bitte bestätigen Sie, dass dies Ihre Adresse ist, dann ist Ihr Konto bereit.",
      ],
      action: "Adresse bestätigen",
    },
    "auth.invite": {
      subject: "Sie sind eingeladen",
      heading: "Sie sind eingeladen",
      paragraphs: [
        "Jemand möchte Sie dabeihaben. Nehmen Sie an, um Ihr Konto einzurichten.",
      ],
      action: "Einladung annehmen",
    },
    "auth.magiclink": {
      subject: "Ihr Link zum Anmelden",
      heading: "Anmelden",
      paragraphs: ["Melden Sie sich mit diesem Link an. Er gilt einmal und für eine Stunde."],
      action: "Anmelden",
    },
    "auth.recovery": {
      subject: "Setzen Sie Ihr Passwort zurück",
      heading: "Passwort zurücksetzen",
      paragraphs: [
        "Jemand, hoffentlich Sie, hat ein neues Passwort für dieses Konto angefordert.",
        "Wenn Sie es nicht waren, ist nichts zu tun: Das Passwort bleibt, wie es ist.",
      ],
      action: "Neues Passwort wählen",
    },
    "auth.email_change": {
      subject: "Bestätigen Sie die Änderung Ihrer E-Mail-Adresse",
      heading: "Änderung Ihrer E-Mail-Adresse",
      paragraphs: [
        "Die Adresse Ihres Kontos soll von {old_email} zu {new_email} geändert werden.",
        "Wenn Sie das nicht wollten, bestätigen Sie es nicht, und ändern Sie Ihr Passwort.",
      ],
      action: "Änderung bestätigen",
    },
    "auth.reauthentication": {
      subject: "Bestätigen Sie, dass Sie es sind",
      heading: "Bestätigen Sie, dass Sie es sind",
      paragraphs: [
        "Geben Sie diesen Code ein, wo Sie danach gefragt wurden. Sagen Sie ihn niemandem.",
      ],
    },
    "auth.password_changed": {
      subject: "Ihr Passwort wurde geändert",
      heading: "Ihr Passwort wurde geändert",
      paragraphs: ["Wenn Sie es nicht waren, setzen Sie Ihr Passwort jetzt zurück."],
    },
    "auth.email_changed": {
      subject: "Ihre E-Mail-Adresse wurde geändert",
      heading: "Ihre E-Mail-Adresse wurde geändert",
      paragraphs: [
        "Bisher hatte Ihr Konto die Adresse {old_email}.",
        "Wenn Sie das nicht geändert haben, bitten Sie sofort um Hilfe.",
      ],
    },
    "auth.phone_changed": {
      subject: "Ihre Telefonnummer wurde geändert",
      heading: "Ihre Telefonnummer wurde geändert",
      paragraphs: ["Wenn Sie es nicht waren, setzen Sie Ihr Passwort jetzt zurück."],
    },
    "auth.identity_linked": {
      subject: "Eine neue Anmeldeart wurde hinzugefügt",
      heading: "Eine neue Anmeldeart wurde hinzugefügt",
      paragraphs: [
        "Ihr Konto ist jetzt auch über {provider} zugänglich.",
        "Wenn Sie das nicht wollten, setzen Sie Ihr Passwort jetzt zurück.",
      ],
    },
    "auth.identity_unlinked": {
      subject: "Eine Anmeldeart wurde entfernt",
      heading: "Eine Anmeldeart wurde entfernt",
      paragraphs: [
        "Ihr Konto ist nicht mehr über {provider} zugänglich.",
        "Wenn Sie das nicht wollten, setzen Sie Ihr Passwort jetzt zurück.",
      ],
    },
    "auth.factor_enrolled": {
      subject: "Ein zweiter Faktor wurde hinzugefügt",
      heading: "Ein zweiter Faktor wurde hinzugefügt",
      paragraphs: ["Wenn Sie es nicht waren, setzen Sie Ihr Passwort jetzt zurück."],
    },
    "auth.factor_unenrolled": {
      subject: "Ein zweiter Faktor wurde entfernt",
      heading: "Ein zweiter Faktor wurde entfernt",
      paragraphs: ["Wenn Sie es nicht waren, setzen Sie Ihr Passwort jetzt zurück."],
    },
    "feed.mentioned": {
      subject: "{name} hat Sie erwähnt",
      heading: "{name} hat Sie bei {sender} erwähnt",
      paragraphs: ["Jemand hat Sie im Feed genannt."],
      action: "Ansehen",
    },
    "feed.answered": {
      subject: "{name} hat auf Ihren Kommentar geantwortet",
      heading: "{name} hat auf Ihren Kommentar geantwortet",
      paragraphs: ["Im Feed steht eine Antwort auf Ihren Kommentar."],
      action: "Ansehen",
    },
    "feed.commented": {
      subject: "{name} hat Ihren Beitrag kommentiert",
      heading: "{name} hat Ihren Beitrag kommentiert",
      paragraphs: ["Im Feed steht ein Kommentar zu Ihrem Beitrag."],
      action: "Ansehen",
    },
    "files.rejected": {
      subject: "Eine Ihrer Dateien wurde abgelehnt",
      heading: "Eine Ihrer Dateien wurde abgelehnt",
      paragraphs: [
        "Bei der Prüfung wurde {name} nicht freigegeben. Niemand sonst sieht die Datei, und nach 30 Tagen wird sie gelöscht.",
      ],
    },
    "newsletters.issue": {
      subject: "{subject}",
      heading: "Newsletter von {sender}",
      paragraphs: [],
    },
    "newsletters.test": {
      subject: "{subject}",
      heading: "Newsletter von {sender}, zur Ansicht",
      paragraphs: [],
    },
    "newsletters.stopped": {
      subject: "Ein Newsletter wurde angehalten: {name}",
      heading: "Ein Newsletter wurde angehalten",
      paragraphs: [
        "Zu viele Mails von „{name}“ kamen zurück. Weitere gehen erst hinaus, wenn ihn jemand fortsetzt.",
      ],
    },
    "notifications.digest": {
      subject: "Neues von {sender}",
      heading: "Neues von {sender}",
      paragraphs: ["Das wollten Sie gesammelt lesen:"],
    },
    "sessions.new_device": {
      subject: "Neue Anmeldung bei Ihrem Konto",
      heading: "Neue Anmeldung",
      paragraphs: [
        "Bei Ihrem Konto hat sich jemand von einem Gerät aus angemeldet, das bisher nicht benutzt wurde: {device}. Zeit: {time}. Land: {place}.",
        "Wenn Sie es nicht waren, beenden Sie diese Sitzung in Ihrer Geräteliste und ändern Sie Ihr Passwort.",
      ],
    },
    "sessions.replayed": {
      subject: "Ein Gerät wurde zur Sicherheit abgemeldet",
      heading: "Ein Gerät wurde zur Sicherheit abgemeldet",
      paragraphs: [
        "Ein alter Schlüssel Ihrer Sitzung auf diesem Gerät wurde noch einmal benutzt: {device}. Er könnte kopiert worden sein, darum wurde die Sitzung für alle beendet.",
        "Melden Sie sich dort neu an. Geschieht es wieder, ändern Sie Ihr Passwort und suchen Sie auf dem Gerät nach unerwünschter Software.",
      ],
    },
    "device_codes.approved": {
      subject: "Ein Gerät wurde mit Ihrem Konto verbunden",
      heading: "Ein Gerät wurde verbunden",
      paragraphs: [
        "Sie haben diesem Gerät die Anmeldung bei {tenant} erlaubt: {device}.",
        "Wenn Sie es nicht waren, beenden Sie seine Sitzung in Ihrer Geräteliste und ändern Sie Ihr Passwort.",
      ],
    },
    "api_keys.new_network": {
      subject: "Ihr API-Schlüssel wird von anderswo benutzt",
      heading: "Ein API-Schlüssel wird von anderswo benutzt",
      paragraphs: [
        "Der API-Schlüssel {name} für {tenant} wurde von einer Adresse in einem anderen Netz als bisher benutzt: {address}, {time}.",
        "Wenn das kein Programm von Ihnen war, widerrufen Sie den Schlüssel: Jemand könnte ihn kopiert haben.",
      ],
    },
    "api_keys.returned": {
      subject: "Ihr API-Schlüssel wird wieder benutzt",
      heading: "Ein API-Schlüssel wird wieder benutzt",
      paragraphs: [
        "Der API-Schlüssel {name} für {tenant} wurde zum ersten Mal seit mindestens 30 Tagen benutzt, von {address}, {time}.",
        "Wenn das kein Programm von Ihnen war oder Sie ihn nicht mehr brauchen, widerrufen Sie den Schlüssel.",
      ],
    },
    "api_keys.created": {
      subject: "Für Ihr Konto wurde ein API-Schlüssel erstellt",
      heading: "Ein neuer API-Schlüssel",
      paragraphs: [
        "Der API-Schlüssel {name} wurde für {tenant} erstellt. Er gilt bis {until}.",
        "Wenn Sie es nicht waren, widerrufen Sie ihn und ändern Sie Ihr Passwort.",
      ],
    },
    "goals.checked_in": {
      subject: "Neues zu „{title}“",
      heading: "Neues zu „{title}“",
      paragraphs: ["Jemand hat etwas eingetragen. Sehen Sie, wie weit es ist."],
    },
    "goals.reached": {
      subject: "Erreicht: {title}",
      heading: "Erreicht",
      paragraphs: ["„{title}“ ist geschafft. Sie haben dabei geholfen."],
    },
    "goals.invited": {
      subject: "{name} bittet um Ihre Hilfe",
      heading: "{name} bittet um Hilfe bei einem Ziel",
      paragraphs: ["„{title}“. Sie entscheiden, ob Sie mitmachen."],
    },
    "goals.joined": {
      subject: "{name} hilft Ihnen",
      heading: "{name} hilft Ihnen bei einem Ziel",
      paragraphs: ["Mit „{title}“ sind Sie nicht mehr allein."],
    },
    "goals.deadline": {
      subject: "„{title}“ endet am {deadline}",
      heading: "Ihr Ziel endet am {deadline}",
      paragraphs: ["„{title}“: bisher {progress} von {target}."],
    },
    "goals.missed": {
      subject: "Die Zeit für „{title}“ ist um",
      heading: "Die Zeit für Ihr Ziel ist um",
      paragraphs: ["„{title}“: {progress} von {target}. Mit einem späteren Tag geht es weiter."],
    },
    "goals.due": {
      subject: "Zeit für einen Eintrag",
      heading: "Zeit für einen Eintrag",
      paragraphs: ["Wie steht es mit „{title}“? Bisher {progress} von {target}."],
    },
    "invitations.invitation": {
      subject: "Einladung zu {sender}",
      heading: "Sie sind zu {sender} eingeladen",
      paragraphs: [
        "{sender} möchte Sie dabeihaben. Die Einladung gilt für diese Adresse, einmal, bis {date}.",
        "Wenn Sie nicht wissen, warum Sie sie bekommen, ist nichts zu tun.",
      ],
      action: "Einladung annehmen",
    },
    "listings.approved": {
      subject: "Ihr Inserat ist zu sehen",
      heading: "Ihr Inserat ist zu sehen",
      paragraphs: ["„{title}“ wurde freigegeben. Andere sehen es von jetzt an."],
      action: "Zum Inserat",
    },
    "listings.rejected": {
      subject: "Ihr Inserat wurde nicht angenommen",
      heading: "Ihr Inserat wurde nicht angenommen",
      paragraphs: [
        "„{title}“ wird anderen nicht gezeigt. Grund: {reason}",
        "Sie können es ändern und noch einmal einreichen.",
      ],
      action: "Zum Inserat",
    },
    "listings.waiting": {
      subject: "Ein Inserat wartet auf Durchsicht",
      heading: "Ein Inserat wartet auf Durchsicht",
      paragraphs: ["„{title}“ wird anderen gezeigt, sobald es jemand freigibt."],
      action: "Zum Inserat",
    },
    "listings.expiring": {
      subject: "Ihr Inserat endet bald",
      heading: "Ihr Inserat endet bald",
      paragraphs: ["„{title}“ endet in {days} Tagen. Verlängern Sie es, wenn es noch gilt."],
      action: "Zum Inserat",
    },
    "listings.expired": {
      subject: "Ihr Inserat ist abgelaufen",
      heading: "Ihr Inserat ist abgelaufen",
      paragraphs: ["„{title}“ wird anderen nicht mehr gezeigt. Sie können es verlängern."],
      action: "Zum Inserat",
    },
    "listings.alert": {
      subject: "Neu: {title}",
      heading: "Für Sie gefunden",
      paragraphs: ["„{title}“ passt zu Ihrer Suche „{name}“."],
      action: "Zum Inserat",
    },
    "listings.alerts": {
      subject: "Für Sie gefunden: {count}",
      heading: "Für Sie gefunden",
      paragraphs: ["Neue Inserate, die zu Ihren Suchen passen ({count}): {titles}"],
    },
    "members.admitted": {
      subject: "Sie sind dabei",
      heading: "Sie gehören jetzt zu {sender}",
      paragraphs: ["Ihre Anfrage wurde angenommen. Willkommen."],
    },
    "members.confirm_address": {
      subject: "Bitte bestätigen Sie Ihre Adresse",
      heading: "Ein Schritt fehlt noch",
      paragraphs: [
        "Sie haben sich bei {sender} angemeldet. Bestätigen Sie Ihre Adresse, und Sie sind dabei; wo Sie sich anmelden, können Sie sich die Mail dafür noch einmal schicken lassen.",
      ],
      action: "Weiter",
    },
    "members.send_documents": {
      subject: "Ihre Unterlagen fehlen noch",
      heading: "Ein Schritt fehlt noch",
      paragraphs: [
        "Sie haben sich bei {sender} angemeldet. Um dabei zu sein, schicken Sie bitte die verlangten Unterlagen.",
      ],
      action: "Weiter",
    },
    "members.people_wait": {
      subject: "Es warten Menschen auf {sender}",
      heading: "Es warten Menschen auf {sender}",
      paragraphs: ["Seit einem Tag oder länger warten: {count}. Bitte entscheiden Sie über sie."],
      action: "Ansehen, wer wartet",
    },
    "members.ownership_offered": {
      subject: "Ihnen wird {sender} angeboten",
      heading: "Ihnen wird {sender} angeboten",
      paragraphs: [
        "Wem {sender} gehört, möchte es Ihnen übergeben. Es ändert sich nichts, wenn Sie nicht innerhalb von sieben Tagen annehmen.",
      ],
    },
    "members.ownership_moved": {
      subject: "{sender} gehört jetzt {name}",
      heading: "{sender} gehört jetzt {name}",
      paragraphs: [
        "Ihr Angebot wurde angenommen. Wenn nicht Sie es gemacht haben, bitten Sie sofort um Hilfe.",
      ],
    },
    "tenants.ownerless": {
      subject: "{tenant} gehört niemandem mehr",
      heading: "{tenant} gehört niemandem mehr",
      paragraphs: [
        "Der letzte Mensch, dem {tenant} ({slug}) gehörte, ist weg. Bitte bestimmen Sie jemanden.",
      ],
    },
    "accounts.verification": {
      subject: "Bestätigen Sie Ihre E-Mail-Adresse",
      heading: "Willkommen",
      paragraphs: [
        "Bitte bestätigen Sie, dass dies Ihre Adresse ist, dann ist Ihr Konto bereit. Der Link gilt einmal und für einen Tag, der Code für zehn Minuten.",
        "Wenn Sie sich nicht registriert haben, bestätigen Sie es nicht: Ohne das gibt es kein Konto.",
      ],
      action: "Adresse bestätigen",
    },
    "accounts.already_registered": {
      subject: "Sie haben bereits ein Konto",
      heading: "Sie haben bereits ein Konto",
      paragraphs: [
        "Jemand, hoffentlich Sie, wollte sich mit dieser Adresse registrieren. Melden Sie sich stattdessen an, oder setzen Sie Ihr Passwort zurück, wenn Sie es nicht mehr wissen.",
        "Wenn Sie es nicht waren, ist nichts zu tun: Es wurde nichts geändert.",
      ],
    },
    "accounts.welcome": {
      subject: "Ihr Konto ist bereit",
      heading: "Ihr Konto ist bereit",
      paragraphs: ["Ihre Adresse ist bestätigt, Sie können sich jetzt anmelden."],
    },
    "accounts.reset": {
      subject: "Setzen Sie Ihr Passwort zurück",
      heading: "Passwort zurücksetzen",
      paragraphs: [
        "Jemand, hoffentlich Sie, hat ein neues Passwort für dieses Konto angefordert. Der Link gilt einmal und für eine Stunde, der Code für zehn Minuten.",
        "Wenn Sie es nicht waren, ist nichts zu tun: Das Passwort bleibt, wie es ist.",
      ],
      action: "Neues Passwort wählen",
    },
    "accounts.password_changed": {
      subject: "Ihr Passwort wurde geändert",
      heading: "Ihr Passwort wurde geändert",
      paragraphs: [
        "Alle anderen Sitzungen Ihres Kontos sind beendet.",
        "Wenn Sie es nicht waren, setzen Sie Ihr Passwort jetzt zurück.",
      ],
    },
    "accounts.reauthentication": {
      subject: "Bestätigen Sie, dass Sie es sind",
      heading: "Bestätigen Sie, dass Sie es sind",
      paragraphs: [
        "Geben Sie diesen Code innerhalb von zehn Minuten ein, wo Sie danach gefragt wurden. Sagen Sie ihn niemandem.",
        "Wenn Sie nicht danach gefragt wurden, beenden Sie Ihre anderen Sitzungen und ändern Sie Ihr Passwort.",
      ],
    },
    "accounts.email_changed": {
      subject: "Ihre E-Mail-Adresse wurde geändert",
      heading: "Ihre E-Mail-Adresse wurde geändert",
      paragraphs: [
        "Bisher hatte Ihr Konto die Adresse {old_email}. Dorthin wird nichts mehr geschickt.",
        "Wenn Sie das nicht geändert haben, bitten Sie sofort um Hilfe.",
      ],
    },
    "accounts.deletion_opened": {
      subject: "Ihr Konto wird gelöscht",
      heading: "Ihr Konto wird gelöscht",
      paragraphs: [
        "Wie gewünscht werden Ihr Konto und was dazu gehört am {date} gelöscht.",
        "Wenn Sie doch bleiben möchten oder das nicht verlangt haben, melden Sie sich vorher an.",
      ],
    },
    "accounts.deletion_cancelled": {
      subject: "Ihr Konto bleibt",
      heading: "Ihr Konto bleibt",
      paragraphs: [
        "Ihr Konto wird nicht gelöscht.",
        "Wenn Sie sich nicht angemeldet und das nicht selbst zurückgenommen haben, setzen Sie jetzt Ihr Passwort zurück.",
      ],
    },
    "documents.approved": {
      subject: "Ihr Dokument wurde anerkannt",
      heading: "Ihr Dokument wurde anerkannt",
      paragraphs: [
        "{document}: Es wurde geprüft und ist in Ordnung. Sie müssen nichts weiter tun.",
      ],
    },
    "documents.rejected": {
      subject: "Ihr Dokument wurde nicht anerkannt",
      heading: "Ihr Dokument wurde nicht anerkannt",
      paragraphs: ["{document} wurde geprüft und nicht anerkannt.", "Der Grund: {reason}"],
    },
    "documents.resubmission_wanted": {
      subject: "Bitte reichen Sie Ihr Dokument noch einmal ein",
      heading: "Bitte reichen Sie Ihr Dokument noch einmal ein",
      paragraphs: ["{document} konnte so nicht geprüft werden.", "Was fehlt: {reason}"],
    },
    "documents.expiring": {
      subject: "Ihr Dokument läuft bald ab",
      heading: "Ihr Dokument läuft bald ab",
      paragraphs: ["{document} gilt noch {days} Tage. Reichen Sie rechtzeitig ein neues ein."],
    },
    "documents.expired": {
      subject: "Ihr Dokument ist abgelaufen",
      heading: "Ihr Dokument ist abgelaufen",
      paragraphs: ["{document} gilt nicht mehr. Sie können jederzeit ein neues einreichen."],
    },
    "documents.waiting": {
      subject: "Dokumente warten auf Prüfung: {count}",
      heading: "Dokumente warten auf Prüfung",
      paragraphs: ["Seit mehr als drei Tagen warten: {count}."],
    },
    "exchanges.requested": {
      subject: "{name} schlägt einen Tausch über {amount} vor",
      heading: "{name} schlägt einen Tausch über {amount} vor",
      paragraphs: ["Sie können annehmen oder ablehnen."],
      action: "Antworten",
    },
    "exchanges.accepted": {
      subject: "Ihr Tausch über {amount} ist vereinbart",
      heading: "Ihr Tausch über {amount} ist vereinbart",
      paragraphs: ["Zugestimmt hat: {name}. Sagen Sie in der App, wenn es losgeht."],
      action: "Zum Tausch",
    },
    "exchanges.declined": {
      subject: "Ein Tausch über {amount} wurde abgelehnt",
      heading: "Ein Tausch über {amount} wurde abgelehnt",
      paragraphs: ["Abgelehnt hat: {name}. Es wird nichts bezahlt."],
      action: "Zum Tausch",
    },
    "exchanges.cancelled": {
      subject: "Ein Tausch über {amount} wurde abgesagt",
      heading: "Ein Tausch über {amount} wurde abgesagt",
      paragraphs: ["Beendet hat ihn: {name}. Es wird nichts bezahlt."],
      action: "Zum Tausch",
    },
    "exchanges.expired": {
      subject: "Ein Tausch über {amount} ist abgelaufen",
      heading: "Ein Tausch über {amount} ist abgelaufen",
      paragraphs: ["Niemand hat ihn rechtzeitig fortgesetzt. Es wird nichts bezahlt."],
      action: "Zum Tausch",
    },
    "exchanges.broker_wanted": {
      subject: "Ein Tausch über {amount} wartet auf Freigabe",
      heading: "Ein Tausch über {amount} wartet auf Freigabe",
      paragraphs: ["Die Beteiligten sind sich einig. Er beginnt, sobald Sie ihn freigeben."],
      action: "Ansehen",
    },
    "exchanges.started": {
      subject: "Ihr Tausch mit {name} hat begonnen",
      heading: "Ihr Tausch mit {name} hat begonnen",
      paragraphs: ["Bestätigen Sie am Ende, wie lange es gedauert hat."],
      action: "Zum Tausch",
    },
    "exchanges.confirmation_wanted": {
      subject: "{name} hat Ihren Tausch bestätigt, jetzt Sie",
      heading: "Wie lange hat es gedauert?",
      paragraphs: [
        "{name} hat bestätigt, wie lange Ihr Tausch gedauert hat. Bezahlt wird, sobald auch Sie bestätigen.",
      ],
      action: "Bestätigen",
    },
    "exchanges.completed": {
      subject: "Ihr Tausch ist abgeschlossen: {amount}",
      heading: "Ihr Tausch ist abgeschlossen: {amount}",
      paragraphs: ["Er wurde bestätigt und bezahlt. Sie können jetzt sagen, wie es war."],
      action: "Bewerten",
    },
    "exchanges.disputed": {
      subject: "Ihr Tausch über {amount} wird angesehen",
      heading: "Ihr Tausch über {amount} wird angesehen",
      paragraphs: [
        "Sie und die andere Seite sind sich über die Dauer nicht einig, oder nicht alle haben rechtzeitig bestätigt.",
        "Jemand Unbeteiligtes entscheidet. Bis dahin können Sie ergänzen, was dafür wichtig ist.",
      ],
      action: "Zum Tausch",
    },
    "exchanges.mediation_wanted": {
      subject: "Ein Tausch über {amount} wartet auf eine Entscheidung",
      heading: "Ein Tausch über {amount} wartet auf eine Entscheidung",
      paragraphs: [
        "Die Beteiligten sind sich nicht einig. Entscheiden Sie, was bezahlt wird, oder dass nichts bezahlt wird.",
      ],
      action: "Ansehen",
    },
    "exchanges.escalated": {
      subject: "Über einen Tausch von {amount} hat niemand entschieden",
      heading: "Über einen Tausch von {amount} hat niemand entschieden",
      paragraphs: ["Die Frist ist um. Ohne Entscheidung wird er am Ende abgesagt."],
      action: "Ansehen",
    },
    "exchanges.reminder": {
      subject: "Ein Tausch über {amount} wartet auf Sie",
      heading: "Ein Tausch über {amount} wartet auf Sie",
      paragraphs: ["Noch ist nichts verloren: Öffnen Sie ihn und sagen Sie, wie es weitergeht."],
      action: "Zum Tausch",
    },
    "exchanges.reversed": {
      subject: "Ein Tausch über {amount} wurde rückgängig gemacht",
      heading: "Ein Tausch über {amount} wurde rückgängig gemacht",
      paragraphs: ["Die Zahlung wurde zurückgenommen von: {name}."],
      action: "Zum Tausch",
    },
    "exchanges.reviewed": {
      subject: "{name} hat Ihren Tausch bewertet: {rating} von 5",
      heading: "{name} hat Ihren Tausch bewertet: {rating} von 5",
      paragraphs: ["Sie können einmal darauf antworten."],
      action: "Lesen und antworten",
    },
    "exchanges.replied": {
      subject: "{name} hat auf Ihre Bewertung geantwortet",
      heading: "{name} hat auf Ihre Bewertung geantwortet",
      paragraphs: ["Die Antwort steht neben dem, was Sie geschrieben haben."],
      action: "Lesen",
    },
    "events.offered": {
      subject: "Ein Platz ist frei: {title}",
      heading: "Ein Platz ist frei: {title}",
      paragraphs: [
        "Für {title} am {time} ist ein Platz für Sie frei. Er bleibt bis {until} für Sie, dann geht er weiter.",
      ],
      action: "Annehmen",
    },
    "events.changed": {
      subject: "Geändert: {title}",
      heading: "Geändert: {title}",
      paragraphs: ["{title} hat sich geändert. Termin: {time}."],
      action: "Ansehen",
    },
    "events.reminder": {
      subject: "{title}: {time}",
      heading: "{title}: {time}",
      paragraphs: ["Sie wollten erinnert werden: {title}, {time}."],
      action: "Zur Veranstaltung",
    },
    "events.cancelled": {
      subject: "Abgesagt: {title}",
      heading: "Abgesagt: {title}",
      paragraphs: ["{title} am {time} findet nicht statt."],
    },
    "groups.requested": {
      subject: "{name} möchte zu {group}",
      heading: "{name} möchte zu {group}",
      paragraphs: ["Eine Anfrage wartet auf Sie oder eine andere Moderation von {group}."],
      action: "Entscheiden",
    },
    "groups.invited": {
      subject: "{name} lädt Sie zu {group} ein",
      heading: "{name} lädt Sie zu {group} ein",
      paragraphs: ["Sie sind in die Gruppe {group} eingeladen."],
      action: "Zur Gruppe",
    },
    "groups.announced": {
      subject: "{group}: {title}",
      heading: "{group}: {title}",
      paragraphs: ["In {group} gibt es eine Ankündigung: {title}."],
      action: "Lesen",
    },
    "groups.admitted": {
      subject: "Sie sind dabei: {group}",
      heading: "Sie sind dabei: {group}",
      paragraphs: ["Ihre Anfrage wurde angenommen: Sie sind jetzt Mitglied von {group}."],
      action: "Zur Gruppe",
    },
    "groups.refused": {
      subject: "Ihre Anfrage an {group}",
      heading: "Ihre Anfrage an {group}",
      paragraphs: ["Die Moderation hat Ihre Anfrage an {group} nicht angenommen."],
    },
    "groups.removed": {
      subject: "Sie sind nicht mehr in {group}",
      heading: "Sie sind nicht mehr in {group}",
      paragraphs: ["Die Moderation hat Sie aus {group} entfernt."],
    },
    "groups.role_changed": {
      subject: "Ihre Rolle in {group} ist eine andere",
      heading: "Ihre Rolle in {group} ist eine andere",
      paragraphs: ["{name} hat Ihnen in {group} eine andere Rolle gegeben."],
      action: "Zur Gruppe",
    },
    "groups.replied": {
      subject: "{name} hat geantwortet: {title}",
      heading: "{name} hat geantwortet: {title}",
      paragraphs: ["{name} hat auf Ihren Beitrag in {group} geantwortet: {title}."],
      action: "Lesen",
    },
    "groups.digest": {
      subject: "Diese Woche in Ihren Gruppen bei {sender}",
      heading: "Diese Woche in Ihren Gruppen bei {sender}",
      paragraphs: ["Das war neu in Ihren Gruppen:"],
    },
    "gamification.badge": {
      subject: "Sie haben ein Abzeichen bekommen: {name}",
      heading: "Sie haben ein Abzeichen bekommen: {name}",
      paragraphs: ["Es steht jetzt in Ihrem Profil."],
    },
    "gamification.level": {
      subject: "Sie haben Stufe {level} erreicht",
      heading: "Sie haben Stufe {level} erreicht",
      paragraphs: ["Was Sie für andere tun, summiert sich."],
    },
    "gamification.challenge": {
      subject: "Sie haben es geschafft: {name}",
      heading: "Sie haben es geschafft: {name}",
      paragraphs: ["Die Punkte dafür gehören Ihnen."],
    },
    "gamification.season": {
      subject: "Sie sind unter den Ersten von {name}",
      heading: "Sie sind unter den Ersten von {name}",
      paragraphs: ["Die Saison ist zu Ende, und Sie sind unter den ersten drei."],
    },
    "abuse.found": {
      subject: "Zahlungen zum Prüfen",
      heading: "Zahlungen zum Prüfen",
      paragraphs: ["Eine Regel gegen Missbrauch hat etwas gefunden, das geprüft werden muss."],
    },
    "abuse.decided": {
      subject: "Zu Zahlungen von Ihnen",
      heading: "Zu Zahlungen von Ihnen",
      paragraphs: [
        "Eine Regel der Gemeinschaft hat Zahlungen von Ihnen gefunden, und sie wurden geprüft: {reason}",
        "Sie können sehen, was gefunden wurde, und innerhalb von 30 Tagen widersprechen.",
      ],
    },
    "abuse.appealed": {
      subject: "Ein Widerspruch wartet",
      heading: "Ein Widerspruch wartet",
      paragraphs: [
        "Ein Mitglied widerspricht einem Fall. Jemand, der ihn nicht entschieden hat, muss ihn ansehen.",
      ],
    },
    "abuse.appeal_decided": {
      subject: "Über Ihren Widerspruch wurde entschieden",
      heading: "Über Ihren Widerspruch wurde entschieden",
      paragraphs: [
        "Eine zweite Person hat den Fall angesehen und auf Ihren Widerspruch geantwortet.",
      ],
    },
    "safeguarding.proposed": {
      subject: "Eine Begleitung wird vorgeschlagen",
      heading: "Eine Begleitung wird vorgeschlagen",
      paragraphs: [
        "Sie werden gefragt, ob Sie einverstanden sind. Sie können ablehnen und es jederzeit beenden.",
      ],
    },
    "safeguarding.answered": {
      subject: "Ein Vorschlag wurde beantwortet",
      heading: "Ein Vorschlag wurde beantwortet",
      paragraphs: ["Jemand hat auf den Vorschlag einer Begleitung geantwortet."],
    },
    "safeguarding.ended": {
      subject: "Eine Begleitung ist beendet",
      heading: "Eine Begleitung ist beendet",
      paragraphs: ["Damit sind auch die Rechte der Begleitperson beendet."],
    },
    "safeguarding.vetting_expires": {
      subject: "Ein Nachweis von Ihnen läuft bald ab",
      heading: "Ein Nachweis von Ihnen läuft bald ab",
      paragraphs: ["Er läuft innerhalb von dreißig Tagen ab. Bitte lassen Sie ihn erneuern."],
    },
    "safeguarding.vetting_expired": {
      subject: "Ein Nachweis ist abgelaufen",
      heading: "Ein Nachweis ist abgelaufen",
      paragraphs: ["Was ihn verlangt, ist erst nach der Erneuerung wieder möglich."],
    },
    "safeguarding.restricted": {
      subject: "Etwas ist Ihnen vorläufig nicht möglich",
      heading: "Etwas ist Ihnen vorläufig nicht möglich",
      paragraphs: ["Der Grund: {reason}"],
    },
    "safeguarding.copied": {
      subject: "Es gibt Neues in einem Gespräch, von dem Sie Kopien erhalten",
      heading: "Es gibt Neues in einem Gespräch, von dem Sie Kopien erhalten",
      paragraphs: ["Sie können es in der App lesen. Jedes Lesen wird festgehalten."],
    },
    "messaging.message": {
      subject: "{name} hat Ihnen geschrieben",
      heading: "{name} hat Ihnen geschrieben",
      paragraphs: ["Es gibt eine neue Nachricht für Sie."],
      action: "Lesen",
    },
    "messaging.mention": {
      subject: "{name} hat Sie erwähnt",
      heading: "{name} hat Sie erwähnt",
      paragraphs: ["Sie wurden in einem Gespräch erwähnt."],
      action: "Lesen",
    },
    "messaging.reminder": {
      subject: "Sie wollten erinnert werden",
      heading: "Sie wollten erinnert werden",
      paragraphs: ["Sie haben um Erinnerung an eine Nachricht gebeten."],
      action: "Zur Nachricht",
    },
    "messaging.not_sent": {
      subject: "Eine Nachricht wurde nicht gesendet",
      heading: "Eine Nachricht wurde nicht gesendet",
      paragraphs: ["Die geplante Nachricht konnte zu ihrer Zeit nicht gesendet werden."],
      action: "Zum Gespräch",
    },
    "moderation.reported": {
      subject: "Etwas wurde gemeldet",
      heading: "Etwas wurde gemeldet",
      paragraphs: ["Eine Meldung wartet auf die Moderation."],
    },
    "moderation.decided": {
      subject: "Eine Entscheidung über einen Beitrag von Ihnen",
      heading: "Eine Entscheidung über einen Beitrag von Ihnen",
      paragraphs: [
        "Etwas von Ihnen wurde gemeldet, und die Moderation hat darüber entschieden.",
        "Sie können den Grund lesen und innerhalb von 30 Tagen widersprechen.",
      ],
      action: "Lesen und widersprechen",
    },
    "moderation.closed": {
      subject: "Ihre Meldung wurde geprüft",
      heading: "Ihre Meldung wurde geprüft",
      paragraphs: ["Die Moderation hat über Ihre Meldung entschieden. Danke für den Hinweis."],
    },
    "moderation.appealed": {
      subject: "Widerspruch gegen eine Entscheidung",
      heading: "Widerspruch gegen eine Entscheidung",
      paragraphs: ["Ein Widerspruch wartet auf jemanden, der vorher nicht entschieden hat."],
    },
    "moderation.appeal_decided": {
      subject: "Über Ihren Widerspruch wurde entschieden",
      heading: "Über Ihren Widerspruch wurde entschieden",
      paragraphs: [
        "Eine zweite Person der Moderation hat die Entscheidung geprüft und Ihren Widerspruch beantwortet.",
      ],
    },
    "two_factor.enabled": {
      subject: "Die Anmeldung in zwei Schritten ist eingeschaltet",
      heading: "Die Anmeldung in zwei Schritten ist eingeschaltet",
      paragraphs: [
        "Ab jetzt fragt Ihr Konto nach einem Code aus Ihrer Authenticator-App.",
        "Wenn Sie das nicht eingerichtet haben, setzen Sie Ihr Passwort zurück und bitten Sie sofort um Hilfe.",
      ],
    },
    "two_factor.disabled": {
      subject: "Die Anmeldung in zwei Schritten ist ausgeschaltet",
      heading: "Die Anmeldung in zwei Schritten ist ausgeschaltet",
      paragraphs: [
        "Ihr Konto fragt nicht mehr nach einem Code aus Ihrer Authenticator-App.",
        "Wenn Sie das nicht wollten, setzen Sie Ihr Passwort jetzt zurück.",
      ],
    },
    "two_factor.backup_code_used": {
      subject: "Ein Ersatzcode wurde benutzt",
      heading: "Ein Ersatzcode wurde benutzt",
      paragraphs: [
        "Jemand, hoffentlich Sie, hat sich mit einem Ihrer Ersatzcodes angemeldet. Übrige Codes: {left}.",
        "Wenn Sie es nicht waren, setzen Sie Ihr Passwort zurück und lassen Sie neue Ersatzcodes erstellen.",
      ],
    },
    "two_factor.backup_codes_replaced": {
      subject: "Sie haben neue Ersatzcodes",
      heading: "Sie haben neue Ersatzcodes",
      paragraphs: [
        "Für Ihr Konto wurden neue Ersatzcodes erstellt. Die bisherigen gelten nicht mehr.",
        "Wenn Sie es nicht waren, setzen Sie Ihr Passwort jetzt zurück.",
      ],
    },
    "two_factor.device_remembered": {
      subject: "Eines Ihrer Geräte wird wiedererkannt",
      heading: "{device} wird wiedererkannt",
      paragraphs: [
        "Bis {date} können Sie sich dort ohne zweiten Faktor anmelden. In Ihren Einstellungen können Sie das beenden.",
        "Wenn Sie es nicht waren, setzen Sie Ihr Passwort zurück: Danach wird kein Gerät mehr wiedererkannt.",
      ],
    },
    "volunteering.signed_up": {
      subject: "Jemand will helfen: {title}",
      heading: "Jemand will helfen",
      paragraphs: ["„{title}“ hat eine neue Hilfe."],
      action: "Zum Aufruf",
    },
    "volunteering.accepted": {
      subject: "Sie helfen mit: {title}",
      heading: "Sie helfen mit",
      paragraphs: ["Sie sind bei „{title}“ dabei."],
      action: "Zum Aufruf",
    },
    "volunteering.declined": {
      subject: "{title}",
      heading: "Diesmal ohne Sie",
      paragraphs: ["„{title}“ hat genug Hilfe oder sucht andere. Danke für Ihr Angebot."],
      action: "Zum Aufruf",
    },
    "volunteering.cancelled": {
      subject: "Abgesagt: {title}",
      heading: "Abgesagt",
      paragraphs: ["„{title}“ findet nicht statt."],
      action: "Zum Aufruf",
    },
    "volunteering.hours_submitted": {
      subject: "Stunden zur Durchsicht: {title}",
      heading: "Stunden zur Durchsicht",
      paragraphs: ["Für „{title}“ wurden Stunden eingetragen. Wer es leitet, bestätigt sie."],
      action: "Zum Aufruf",
    },
    "volunteering.hours_approved": {
      subject: "Ihre Stunden zählen: {title}",
      heading: "Ihre Stunden zählen",
      paragraphs: ["{minutes} Minuten vom {day} für „{title}“ wurden bestätigt."],
      action: "Zum Aufruf",
    },
    "volunteering.hours_rejected": {
      subject: "Ihre Stunden wurden nicht bestätigt: {title}",
      heading: "Ihre Stunden wurden nicht bestätigt",
      paragraphs: ["{minutes} Minuten vom {day} für „{title}“. Grund: {reason}"],
      action: "Zum Aufruf",
    },
    "volunteering.hours_revoked": {
      subject: "Eine Bestätigung wurde zurückgenommen: {title}",
      heading: "Eine Bestätigung wurde zurückgenommen",
      paragraphs: ["{minutes} Minuten vom {day} für „{title}“ zählen nicht mehr. Grund: {reason}"],
      action: "Zum Aufruf",
    },
    "wallet.received": {
      subject: "Sie haben {amount} erhalten",
      heading: "Sie haben {amount} erhalten",
      paragraphs: ["Von: {name}."],
    },
    "wallet.charged": {
      subject: "Von Ihrem Konto gingen {amount} ab",
      heading: "Von Ihrem Konto gingen {amount} ab",
      paragraphs: ["An: {name}."],
    },
    "wallet.held": {
      subject: "{name} hat {amount} für Sie zurückgelegt",
      heading: "{name} hat {amount} für Sie zurückgelegt",
      paragraphs: [
        "Der Betrag gehört Ihnen, sobald Sie ihn abrufen; läuft die Frist ab, geht er zurück.",
      ],
    },
    "wallet.hold_voided": {
      subject: "Sie können wieder über {amount} verfügen",
      heading: "Sie können wieder über {amount} verfügen",
      paragraphs: ["Was Sie für {name} zurückgelegt hatten, wurde freigegeben."],
    },
    "wallet.hold_expired": {
      subject: "Eine Reservierung über {amount} ist abgelaufen",
      heading: "Eine Reservierung über {amount} ist abgelaufen",
      paragraphs: ["Es ging um Sie und {name}. Es wurde nichts bezahlt."],
    },
    "wallet.requested": {
      subject: "{name} bittet Sie um {amount}",
      heading: "{name} bittet Sie um {amount}",
      paragraphs: ["Sie können in der App annehmen oder ablehnen."],
    },
    "wallet.request_reminder": {
      subject: "{name} wartet noch auf {amount}",
      heading: "{name} wartet noch auf {amount}",
      paragraphs: ["Die halbe Frist ist um. Sie können in der App annehmen oder ablehnen."],
    },
    "wallet.request_declined": {
      subject: "{name} hat Ihre Bitte um {amount} abgelehnt",
      heading: "{name} hat Ihre Bitte um {amount} abgelehnt",
      paragraphs: ["Ihre Anfrage ist abgeschlossen."],
    },
    "wallet.request_cancelled": {
      subject: "{name} bittet nicht mehr um {amount}",
      heading: "{name} bittet nicht mehr um {amount}",
      paragraphs: ["Die Anfrage wurde zurückgenommen."],
    },
    "wallet.request_expired": {
      subject: "Ihre Bitte um {amount} ist abgelaufen",
      heading: "Ihre Bitte um {amount} ist abgelaufen",
      paragraphs: ["{name} hat nicht rechtzeitig geantwortet."],
    },
    "wallet.balance_low": {
      subject: "Wenig Guthaben bei {name}: {amount}",
      heading: "Das Guthaben ist niedrig",
      paragraphs: ["Das Konto von {name} steht bei {amount}."],
    },
    "wallet.balance_critical": {
      subject: "Fast kein Guthaben mehr bei {name}: {amount}",
      heading: "Das Guthaben ist fast aufgebraucht",
      paragraphs: ["Das Konto von {name} steht bei {amount}."],
    },
    "wallet.balance_high": {
      subject: "Hohes Guthaben bei {name}: {amount}",
      heading: "Es ist viel Guthaben da",
      paragraphs: [
        "Das Konto von {name} steht bei {amount}. Eine Gemeinschaft lebt von dem, was umläuft.",
      ],
    },
    "wallet.nudge": {
      subject: "Das Konto von {name} steht schon länger bei {amount}",
      heading: "Das Guthaben steht schon länger still",
      paragraphs: ["Das Konto von {name} ist seit dreißig Tagen jenseits seiner Grenze: {amount}."],
    },
    "wallet.account_frozen": {
      subject: "Das Konto von {name} wurde gesperrt",
      heading: "Das Konto wurde gesperrt",
      paragraphs: ["Nichts geht ab und nichts geht ein, bis die Verwaltung es wieder öffnet."],
    },
    "wallet.account_unfrozen": {
      subject: "Das Konto von {name} ist wieder offen",
      heading: "Das Konto ist wieder offen",
      paragraphs: ["Es kann wie zuvor benutzt werden."],
    },
    "wallet.account_closed": {
      subject: "Das Konto von {name} wurde geschlossen",
      heading: "Das Konto wurde geschlossen",
      paragraphs: ["Was darauf war, wurde weitergegeben."],
    },
    "wallet.broken": {
      subject: "Die Bücher von {name} gehen nicht auf",
      heading: "Ein Kontobuch geht nicht auf",
      paragraphs: [
        "Die nächtliche Prüfung von {name} hat eine Differenz gefunden. Rufen Sie den Nachweis ab (wallet_reconcile) und sehen Sie ins Protokoll, bevor weiter gebucht wird.",
      ],
    },
    "passkeys.added": {
      subject: "Ein Passkey wurde hinzugefügt",
      heading: "Ein Passkey wurde hinzugefügt",
      paragraphs: [
        "Ihr Konto bei {domain} lässt sich jetzt mit dem Passkey „{name}“ öffnen.",
        "Wenn Sie das nicht waren, setzen Sie Ihr Passwort zurück und entfernen Sie den Passkey sofort.",
      ],
    },
    "passkeys.removed": {
      subject: "Ein Passkey wurde entfernt",
      heading: "Ein Passkey wurde entfernt",
      paragraphs: [
        "Der Passkey „{name}“ für {domain} öffnet Ihr Konto nicht mehr.",
        "Wenn Sie das nicht waren, setzen Sie jetzt Ihr Passwort zurück.",
      ],
    },
    "passkeys.copied": {
      subject: "Ein Passkey wurde abgelehnt",
      heading: "Ein Passkey wurde abgelehnt",
      paragraphs: [
        "Jemand hat den Passkey „{name}“ für {domain} so benutzt, als gäbe es davon eine Kopie.",
        "Entfernen Sie diesen Passkey und legen Sie auf einem Gerät, dem Sie vertrauen, einen neuen an.",
      ],
    },
  },
};
