import type { Language } from "./en.ts";

export const es: Language = {
  layout: {
    code: "Su código:",
    orCode: "O introduzca este código donde se le haya pedido:",
    address: "Si el botón no funciona, abra esta dirección:",
    why: "Recibe este correo por su cuenta en {sender}.",
    whyAddress: "Este correo se envió a esta dirección en nombre de {sender}.",
    always: "Trata de la seguridad de su cuenta y por eso se envía siempre.",
    settings: "Elegir si recibe correos como este",
    digestOf: "{text} ({count})",
    page: "Correos como este: {what}",
    pageNow: "Esto es lo que vale ahora. Elija lo que prefiera.",
    pageInstant: "Al momento",
    pageDaily: "Una vez al día, junto con otros",
    pageWeekly: "Una vez a la semana, junto con otros",
    pageOff: "Nunca",
    pageSave: "Guardar",
    pageSaved: "Guardado.",
    pageFixed: "Trata de la seguridad de su cuenta y se envía siempre.",
  },
  templates: {
    "admin.warning": {
      subject: "Ha recibido una advertencia",
      heading: "Ha recibido una advertencia",
      paragraphs: [
        "Motivo: {reason}",
        "La advertencia termina: {until}.",
        "Puede recurrirla una vez, en la aplicación; otra persona volverá a examinarla.",
      ],
    },
    "admin.suspension": {
      subject: "Su membresía está suspendida",
      heading: "Su membresía está suspendida",
      paragraphs: [
        "Motivo: {reason}",
        "Vuelve a abrirse: {until}.",
        "Puede recurrirlo una vez, en la aplicación, también mientras está suspendida; otra persona volverá a examinarlo.",
      ],
    },
    "admin.ban": {
      subject: "Su membresía ha terminado",
      heading: "Ha sido expulsado de {sender}",
      paragraphs: [
        "Motivo: {reason}",
        "Puede recurrirlo una vez, en la aplicación; otra persona volverá a examinarlo.",
      ],
    },
    "admin.restriction": {
      subject: "Sus derechos han sido limitados",
      heading: "Sus derechos han sido limitados",
      paragraphs: [
        "Motivo: {reason}",
        "Los recupera: {until}.",
        "Puede recurrirlo una vez, en la aplicación; otra persona volverá a examinarlo.",
      ],
    },
    "admin.ended": {
      subject: "Una decisión sobre usted ha terminado",
      heading: "Una decisión sobre usted ha terminado",
      paragraphs: [
        "Se tomó por este motivo: {reason}",
        "Ya no rige.",
      ],
    },
    "admin.appeal_submitted": {
      subject: "Un miembro recurre una decisión",
      heading: "Un miembro recurre una decisión",
      paragraphs: [
        "Debe volver a examinarla alguien distinto de quien la tomó.",
      ],
    },
    "admin.appeal_upheld": {
      subject: "La decisión se mantiene",
      heading: "La decisión sobre usted se mantiene",
      paragraphs: [
        "Otra persona ha vuelto a examinarla. Su respuesta: {answer}",
      ],
    },
    "admin.appeal_overturned": {
      subject: "La decisión ha sido anulada",
      heading: "La decisión sobre usted ha sido anulada",
      paragraphs: [
        "Otra persona ha vuelto a examinarla. Su respuesta: {answer}",
      ],
    },
    "admin.people_stuck": {
      subject: "Hay personas esperando para entrar",
      heading: "Hay personas esperando para entrar",
      paragraphs: [
        "Personas que esperan desde hace tres días: {people}. Mire quién está en camino.",
      ],
    },
    "admin.impersonated": {
      subject: "Un administrador ha visto {sender} como usted",
      heading: "Un administrador ha visto {sender} como usted",
      paragraphs: [
        "{name} ha visto lo que usted ve, desde {began} y durante un cuarto de hora como máximo. No se podía cambiar nada.",
        "Motivo: {reason}",
      ],
    },
    "admin.impersonated_writing": {
      subject: "Un administrador ha actuado en {sender} como usted",
      heading: "Un administrador ha actuado en {sender} como usted",
      paragraphs: [
        "{name} ha podido ver y cambiar lo que usted puede, desde {began} y durante un cuarto de hora como máximo. No se podía pagar nada.",
        "Motivo: {reason}",
      ],
    },
    "admin.person_banned": {
      subject: "Su cuenta está cerrada",
      heading: "Su cuenta está cerrada",
      paragraphs: [
        "Motivo: {reason}",
        "Vuelve a abrirse: {until}.",
      ],
    },
    "admin.person_readmitted": {
      subject: "Su cuenta vuelve a estar abierta",
      heading: "Su cuenta vuelve a estar abierta",
      paragraphs: [
        "Puede iniciar sesión como antes.",
      ],
    },
    "auth.signup": {
      subject: "Confirme su dirección de correo",
      heading: "Le damos la bienvenida",
      paragraphs: ["Confirme que esta es su dirección y su cuenta quedará lista."],
      action: "Confirmar mi dirección",
    },
    "auth.invite": {
      subject: "Tiene una invitación",
      heading: "Tiene una invitación",
      paragraphs: ["Alguien quiere que participe. Acepte para crear su cuenta."],
      action: "Aceptar la invitación",
    },
    "auth.magiclink": {
      subject: "Su enlace para entrar",
      heading: "Entrar",
      paragraphs: ["Use este enlace para entrar. Sirve una vez y durante una hora."],
      action: "Entrar",
    },
    "auth.recovery": {
      subject: "Restablezca su contraseña",
      heading: "Restablecer la contraseña",
      paragraphs: [
        "Alguien, esperamos que usted, pidió una contraseña nueva para esta cuenta.",
        "Si no fue usted, no tiene que hacer nada: la contraseña sigue como está.",
      ],
      action: "Elegir una contraseña nueva",
    },
    "auth.email_change": {
      subject: "Confirme el cambio de su dirección de correo",
      heading: "Cambio de su dirección de correo",
      paragraphs: [
        "La dirección de su cuenta va a cambiar de {old_email} a {new_email}.",
        "Si no lo pidió usted, no lo confirme y cambie su contraseña.",
      ],
      action: "Confirmar el cambio",
    },
    "auth.reauthentication": {
      subject: "Confirme que es usted",
      heading: "Confirme que es usted",
      paragraphs: ["Introduzca este código donde se le haya pedido. No se lo diga a nadie."],
    },
    "auth.password_changed": {
      subject: "Su contraseña ha cambiado",
      heading: "Su contraseña ha cambiado",
      paragraphs: ["Si no fue usted, restablezca su contraseña ahora."],
    },
    "auth.email_changed": {
      subject: "Su dirección de correo ha cambiado",
      heading: "Su dirección de correo ha cambiado",
      paragraphs: [
        "Hasta ahora su cuenta tenía la dirección {old_email}.",
        "Si no la cambió usted, pida ayuda de inmediato.",
      ],
    },
    "auth.phone_changed": {
      subject: "Su número de teléfono ha cambiado",
      heading: "Su número de teléfono ha cambiado",
      paragraphs: ["Si no fue usted, restablezca su contraseña ahora."],
    },
    "auth.identity_linked": {
      subject: "Se añadió otra forma de entrar",
      heading: "Se añadió otra forma de entrar",
      paragraphs: [
        "Ahora se puede entrar en su cuenta mediante {provider}.",
        "Si no la añadió usted, restablezca su contraseña ahora.",
      ],
    },
    "auth.identity_unlinked": {
      subject: "Se quitó una forma de entrar",
      heading: "Se quitó una forma de entrar",
      paragraphs: [
        "Ya no se puede entrar en su cuenta mediante {provider}.",
        "Si no la quitó usted, restablezca su contraseña ahora.",
      ],
    },
    "auth.factor_enrolled": {
      subject: "Se añadió un segundo factor",
      heading: "Se añadió un segundo factor",
      paragraphs: ["Si no fue usted, restablezca su contraseña ahora."],
    },
    "auth.factor_unenrolled": {
      subject: "Se quitó un segundo factor",
      heading: "Se quitó un segundo factor",
      paragraphs: ["Si no fue usted, restablezca su contraseña ahora."],
    },
    "feed.mentioned": {
      subject: "{name} le ha mencionado",
      heading: "{name} le ha mencionado en {sender}",
      paragraphs: ["Alguien le ha nombrado en el muro."],
      action: "Ver",
    },
    "feed.answered": {
      subject: "{name} ha respondido a su comentario",
      heading: "{name} ha respondido a su comentario",
      paragraphs: ["Hay una respuesta a su comentario en el muro."],
      action: "Ver",
    },
    "feed.commented": {
      subject: "{name} ha comentado su publicación",
      heading: "{name} ha comentado su publicación",
      paragraphs: ["Hay un comentario en su publicación del muro."],
      action: "Ver",
    },
    "files.rejected": {
      subject: "Se rechazó un archivo suyo",
      heading: "Se rechazó un archivo suyo",
      paragraphs: ["La revisión no dejó pasar {name}. Nadie más lo ve y se borra a los 30 días."],
    },
    "newsletters.issue": {
      subject: "{subject}",
      heading: "Boletín de {sender}",
      paragraphs: [],
    },
    "newsletters.test": {
      subject: "{subject}",
      heading: "Boletines de {sender}, para revisarlos",
      paragraphs: [],
    },
    "newsletters.stopped": {
      subject: "Se ha detenido un boletín: {name}",
      heading: "Se ha detenido un boletín",
      paragraphs: [
        "Demasiados correos de «{name}» fueron devueltos. No saldrá ninguno más hasta que alguien lo reanude.",
      ],
    },
    "notifications.digest": {
      subject: "Novedades de {sender}",
      heading: "Novedades de {sender}",
      paragraphs: ["Esto es lo que quería leer de una vez:"],
    },
    "sessions.new_device": {
      subject: "Nuevo inicio de sesión en su cuenta",
      heading: "Nuevo inicio de sesión",
      paragraphs: [
        "Alguien inició sesión en su cuenta desde un dispositivo que no se había usado antes: {device}. Hora: {time}. País: {place}.",
        "Si no fue usted, termine esa sesión en su lista de dispositivos y cambie su contraseña.",
      ],
    },
    "sessions.replayed": {
      subject: "Un dispositivo fue desconectado por seguridad",
      heading: "Un dispositivo fue desconectado por seguridad",
      paragraphs: [
        "Una clave antigua de su sesión en este dispositivo se usó otra vez: {device}. Puede haber sido copiada, por eso la sesión se terminó para todos.",
        "Vuelva a iniciar sesión allí. Si sucede de nuevo, cambie su contraseña y busque software no deseado en el dispositivo.",
      ],
    },
    "device_codes.approved": {
      subject: "Un dispositivo fue conectado a su cuenta",
      heading: "Un dispositivo fue conectado",
      paragraphs: [
        "Usted permitió que este dispositivo iniciara sesión en {tenant}: {device}.",
        "Si no fue usted, termine su sesión en su lista de dispositivos y cambie su contraseña.",
      ],
    },
    "api_keys.new_network": {
      subject: "Su clave de API se usa desde otro lugar",
      heading: "Una clave de API se usa desde otro lugar",
      paragraphs: [
        "La clave de API {name} para {tenant} se usó desde una dirección de otra red que hasta ahora: {address}, {time}.",
        "Si no fue un programa suyo, revoque la clave: alguien puede haberla copiado.",
      ],
    },
    "api_keys.returned": {
      subject: "Su clave de API se usa de nuevo",
      heading: "Una clave de API se usa de nuevo",
      paragraphs: [
        "La clave de API {name} para {tenant} se usó por primera vez en 30 días o más, desde {address}, {time}.",
        "Si no fue un programa suyo, o ya no la necesita, revoque la clave.",
      ],
    },
    "api_keys.created": {
      subject: "Se creó una clave de API para su cuenta",
      heading: "Una nueva clave de API",
      paragraphs: [
        "Se creó la clave de API {name} para {tenant}. Vale hasta {until}.",
        "Si no fue usted, revóquela y cambie su contraseña.",
      ],
    },
    "goals.checked_in": {
      subject: "Novedades de «{title}»",
      heading: "Novedades de «{title}»",
      paragraphs: ["Alguien ha anotado algo. Vea hasta dónde ha llegado."],
    },
    "goals.reached": {
      subject: "Logrado: {title}",
      heading: "Logrado",
      paragraphs: ["«{title}» está hecho. Usted ayudó."],
    },
    "goals.invited": {
      subject: "{name} le pide ayuda",
      heading: "{name} le pide ayuda con una meta",
      paragraphs: ["«{title}». Usted decide si participa."],
    },
    "goals.joined": {
      subject: "{name} le ayuda",
      heading: "{name} le ayuda con una meta",
      paragraphs: ["Con «{title}» ya no está solo."],
    },
    "goals.deadline": {
      subject: "«{title}» termina el {deadline}",
      heading: "Su meta termina el {deadline}",
      paragraphs: ["«{title}»: {progress} de {target} hasta ahora."],
    },
    "goals.missed": {
      subject: "El plazo de «{title}» ha terminado",
      heading: "El plazo de su meta ha terminado",
      paragraphs: ["«{title}»: {progress} de {target}. Con una fecha posterior sigue adelante."],
    },
    "goals.due": {
      subject: "Es hora de anotar",
      heading: "Es hora de anotar",
      paragraphs: ["¿Cómo va «{title}»? {progress} de {target} hasta ahora."],
    },
    "invitations.invitation": {
      subject: "Invitación a {sender}",
      heading: "Le invitan a {sender}",
      paragraphs: [
        "{sender} quiere que usted participe. La invitación vale para esta dirección, una vez, hasta el {date}.",
        "Si no sabe por qué la recibe, no tiene que hacer nada.",
      ],
      action: "Aceptar la invitación",
    },
    "listings.approved": {
      subject: "Su anuncio ya se ve",
      heading: "Su anuncio ya se ve",
      paragraphs: ["«{title}» fue aprobado. Los demás lo ven desde ahora."],
      action: "Ver el anuncio",
    },
    "listings.rejected": {
      subject: "Su anuncio no fue aceptado",
      heading: "Su anuncio no fue aceptado",
      paragraphs: [
        "«{title}» no se muestra a los demás. Motivo: {reason}",
        "Puede cambiarlo y presentarlo de nuevo.",
      ],
      action: "Ver el anuncio",
    },
    "listings.waiting": {
      subject: "Un anuncio espera revisión",
      heading: "Un anuncio espera revisión",
      paragraphs: ["«{title}» se muestra a los demás en cuanto alguien lo apruebe."],
      action: "Ver el anuncio",
    },
    "listings.expiring": {
      subject: "Su anuncio termina pronto",
      heading: "Su anuncio termina pronto",
      paragraphs: ["«{title}» termina en {days} días. Renuévelo si aún vale."],
      action: "Ver el anuncio",
    },
    "listings.expired": {
      subject: "Su anuncio ha terminado",
      heading: "Su anuncio ha terminado",
      paragraphs: ["«{title}» ya no se muestra a los demás. Puede renovarlo."],
      action: "Ver el anuncio",
    },
    "listings.alert": {
      subject: "Nuevo: {title}",
      heading: "Encontrado para usted",
      paragraphs: ["«{title}» encaja con su búsqueda «{name}»."],
      action: "Ver el anuncio",
    },
    "listings.alerts": {
      subject: "Encontrado para usted: {count}",
      heading: "Encontrado para usted",
      paragraphs: ["Anuncios nuevos que encajan con sus búsquedas ({count}): {titles}"],
    },
    "members.admitted": {
      subject: "Ya forma parte",
      heading: "Ya forma parte de {sender}",
      paragraphs: ["Su solicitud fue aceptada. Le damos la bienvenida."],
    },
    "members.confirm_address": {
      subject: "Confirme su dirección",
      heading: "Falta un paso",
      paragraphs: [
        "Se registró en {sender}. Confirme su dirección y podrá entrar; donde inicia sesión puede pedir de nuevo el correo para ello.",
      ],
      action: "Continuar",
    },
    "members.send_documents": {
      subject: "Faltan sus documentos",
      heading: "Falta un paso",
      paragraphs: ["Se registró en {sender}. Para entrar, envíe los documentos que pide."],
      action: "Continuar",
    },
    "members.people_wait": {
      subject: "Hay personas que esperan entrar en {sender}",
      heading: "Hay personas que esperan entrar en {sender}",
      paragraphs: ["Esperan desde hace un día o más: {count}. Decida sobre ellas, por favor."],
      action: "Ver quién espera",
    },
    "members.ownership_offered": {
      subject: "Le ofrecen la propiedad de {sender}",
      heading: "Le ofrecen la propiedad de {sender}",
      paragraphs: [
        "Quien posee {sender} quiere que pase a usted. Nada cambia si no acepta en siete días.",
      ],
    },
    "members.ownership_moved": {
      subject: "{sender} pertenece ahora a {name}",
      heading: "{sender} pertenece ahora a {name}",
      paragraphs: [
        "La propiedad que ofreció fue aceptada. Si no la ofreció usted, pida ayuda de inmediato.",
      ],
    },
    "tenants.ownerless": {
      subject: "{tenant} ya no pertenece a nadie",
      heading: "{tenant} ya no pertenece a nadie",
      paragraphs: [
        "La última persona propietaria de {tenant} ({slug}) se ha ido. Nombre a otra, por favor.",
      ],
    },
    "accounts.verification": {
      subject: "Confirme su dirección de correo",
      heading: "Le damos la bienvenida",
      paragraphs: [
        "Confirme que esta dirección es suya y su cuenta estará lista. El enlace sirve una vez, durante un día; el código, durante diez minutos.",
        "Si no se ha registrado, no la confirme: sin ello no hay cuenta.",
      ],
      action: "Confirmar mi dirección",
    },
    "accounts.already_registered": {
      subject: "Ya tiene una cuenta",
      heading: "Ya tiene una cuenta",
      paragraphs: [
        "Alguien, esperamos que usted, ha intentado registrarse con esta dirección. Inicie sesión, o restablezca su contraseña si ya no la sabe.",
        "Si no ha sido usted, no hay nada que hacer: no ha cambiado nada.",
      ],
    },
    "accounts.welcome": {
      subject: "Su cuenta está lista",
      heading: "Su cuenta está lista",
      paragraphs: ["Su dirección está confirmada y ya puede iniciar sesión."],
    },
    "accounts.reset": {
      subject: "Restablezca su contraseña",
      heading: "Restablecer la contraseña",
      paragraphs: [
        "Alguien, esperamos que usted, ha pedido una contraseña nueva para esta cuenta. El enlace sirve una vez, durante una hora; el código, durante diez minutos.",
        "Si no ha sido usted, no hay nada que hacer: la contraseña sigue siendo la misma.",
      ],
      action: "Elegir una contraseña nueva",
    },
    "accounts.password_changed": {
      subject: "Su contraseña ha cambiado",
      heading: "Su contraseña ha cambiado",
      paragraphs: [
        "Todas las demás sesiones de su cuenta han terminado.",
        "Si no ha sido usted, restablezca su contraseña ahora.",
      ],
    },
    "accounts.reauthentication": {
      subject: "Confirme que es usted",
      heading: "Confirme que es usted",
      paragraphs: [
        "Introduzca este código donde se lo han pedido, en diez minutos. No se lo diga a nadie.",
        "Si nadie se lo ha pedido, termine sus demás sesiones y cambie su contraseña.",
      ],
    },
    "accounts.email_changed": {
      subject: "Su dirección de correo ha cambiado",
      heading: "Su dirección de correo ha cambiado",
      paragraphs: [
        "Hasta ahora su cuenta tenía la dirección {old_email}. Allí no se enviará nada más.",
        "Si no la ha cambiado usted, pida ayuda de inmediato.",
      ],
    },
    "accounts.deletion_opened": {
      subject: "Su cuenta se eliminará",
      heading: "Su cuenta se eliminará",
      paragraphs: [
        "Como ha pedido, su cuenta y lo que le pertenece se borrarán el {date}.",
        "Si prefiere quedarse, o no lo ha pedido usted, inicie sesión antes.",
      ],
    },
    "accounts.deletion_cancelled": {
      subject: "Su cuenta se queda",
      heading: "Su cuenta se queda",
      paragraphs: [
        "Su cuenta no se eliminará.",
        "Si no ha iniciado sesión ni lo ha retirado usted, restablezca su contraseña ahora.",
      ],
    },
    "documents.approved": {
      subject: "Su documento ha sido aceptado",
      heading: "Su documento ha sido aceptado",
      paragraphs: ["{document}: se ha comprobado y es correcto. No tiene que hacer nada más."],
    },
    "documents.rejected": {
      subject: "Su documento no ha sido aceptado",
      heading: "Su documento no ha sido aceptado",
      paragraphs: ["{document} se ha comprobado y no se ha aceptado.", "El motivo: {reason}"],
    },
    "documents.resubmission_wanted": {
      subject: "Vuelva a presentar su documento",
      heading: "Vuelva a presentar su documento",
      paragraphs: ["{document} no se ha podido comprobar tal como está.", "Lo que falta: {reason}"],
    },
    "documents.expiring": {
      subject: "Su documento caduca pronto",
      heading: "Su documento caduca pronto",
      paragraphs: ["{document} vale {days} días más. Presente el nuevo a tiempo."],
    },
    "documents.expired": {
      subject: "Su documento ha caducado",
      heading: "Su documento ha caducado",
      paragraphs: ["{document} ya no vale. Puede presentar uno nuevo cuando quiera."],
    },
    "documents.waiting": {
      subject: "Documentos por comprobar: {count}",
      heading: "Documentos por comprobar",
      paragraphs: ["Esperan desde hace más de tres días: {count}."],
    },
    "exchanges.requested": {
      subject: "{name} propone un intercambio de {amount}",
      heading: "{name} propone un intercambio de {amount}",
      paragraphs: ["Puede aceptarlo o rechazarlo."],
      action: "Responder",
    },
    "exchanges.accepted": {
      subject: "Su intercambio de {amount} está acordado",
      heading: "Su intercambio de {amount} está acordado",
      paragraphs: ["Lo ha aceptado {name}. Indíquelo en la aplicación cuando empiece."],
      action: "Abrir el intercambio",
    },
    "exchanges.declined": {
      subject: "Se ha rechazado un intercambio de {amount}",
      heading: "Se ha rechazado un intercambio de {amount}",
      paragraphs: ["Lo ha rechazado {name}. No se paga nada."],
      action: "Abrir el intercambio",
    },
    "exchanges.cancelled": {
      subject: "Se ha cancelado un intercambio de {amount}",
      heading: "Se ha cancelado un intercambio de {amount}",
      paragraphs: ["Lo ha terminado {name}. No se paga nada."],
      action: "Abrir el intercambio",
    },
    "exchanges.expired": {
      subject: "Ha vencido un intercambio de {amount}",
      heading: "Ha vencido un intercambio de {amount}",
      paragraphs: ["Nadie lo ha continuado a tiempo. No se paga nada."],
      action: "Abrir el intercambio",
    },
    "exchanges.broker_wanted": {
      subject: "Un intercambio de {amount} espera aprobación",
      heading: "Un intercambio de {amount} espera aprobación",
      paragraphs: ["Quienes participan están de acuerdo. Empieza cuando usted lo apruebe."],
      action: "Verlo",
    },
    "exchanges.started": {
      subject: "Su intercambio con {name} ha empezado",
      heading: "Su intercambio con {name} ha empezado",
      paragraphs: ["Cuando termine, confirme cuánto ha durado."],
      action: "Abrir el intercambio",
    },
    "exchanges.confirmation_wanted": {
      subject: "{name} ha confirmado su intercambio, falta usted",
      heading: "¿Cuánto ha durado?",
      paragraphs: [
        "{name} ha confirmado cuánto ha durado su intercambio. Se paga cuando usted también lo confirme.",
      ],
      action: "Confirmar",
    },
    "exchanges.completed": {
      subject: "Su intercambio ha terminado: {amount}",
      heading: "Su intercambio ha terminado: {amount}",
      paragraphs: ["Se ha confirmado y pagado. Ahora puede decir cómo ha sido."],
      action: "Valorarlo",
    },
    "exchanges.disputed": {
      subject: "Alguien revisará su intercambio de {amount}",
      heading: "Alguien revisará su intercambio de {amount}",
      paragraphs: [
        "Usted y la otra parte no están de acuerdo en cuánto ha durado, o no todos lo han confirmado a tiempo.",
        "Decide alguien que no participa. Hasta entonces puede añadir lo que convenga saber.",
      ],
      action: "Abrir el intercambio",
    },
    "exchanges.mediation_wanted": {
      subject: "Un intercambio de {amount} espera una decisión",
      heading: "Un intercambio de {amount} espera una decisión",
      paragraphs: [
        "Quienes participan no están de acuerdo. Decida qué se paga, o que no se paga nada.",
      ],
      action: "Verlo",
    },
    "exchanges.escalated": {
      subject: "Nadie ha decidido sobre un intercambio de {amount}",
      heading: "Nadie ha decidido sobre un intercambio de {amount}",
      paragraphs: ["El plazo ha terminado. Sin una decisión, al final se cancela."],
      action: "Verlo",
    },
    "exchanges.reminder": {
      subject: "Un intercambio de {amount} le espera",
      heading: "Un intercambio de {amount} le espera",
      paragraphs: ["Aún está a tiempo: ábralo e indique cómo sigue."],
      action: "Abrir el intercambio",
    },
    "exchanges.reversed": {
      subject: "Se ha deshecho un intercambio de {amount}",
      heading: "Se ha deshecho un intercambio de {amount}",
      paragraphs: ["{name} ha devuelto lo que se pagó por él."],
      action: "Abrir el intercambio",
    },
    "exchanges.reviewed": {
      subject: "{name} ha valorado su intercambio: {rating} de 5",
      heading: "{name} ha valorado su intercambio: {rating} de 5",
      paragraphs: ["Puede responder una vez."],
      action: "Leer y responder",
    },
    "exchanges.replied": {
      subject: "{name} ha respondido a su valoración",
      heading: "{name} ha respondido a su valoración",
      paragraphs: ["La respuesta aparece junto a lo que usted escribió."],
      action: "Leerla",
    },
    "events.offered": {
      subject: "Hay una plaza libre: {title}",
      heading: "Hay una plaza libre: {title}",
      paragraphs: [
        "Hay una plaza para usted en {title}, {time}. Se la guardamos hasta {until}; después pasa a la siguiente persona.",
      ],
      action: "Aceptarla",
    },
    "events.changed": {
      subject: "Ha cambiado: {title}",
      heading: "Ha cambiado: {title}",
      paragraphs: ["{title} ha cambiado. Fecha: {time}."],
      action: "Ver el cambio",
    },
    "events.reminder": {
      subject: "{title}: {time}",
      heading: "{title}: {time}",
      paragraphs: ["Quería un recordatorio: {title}, {time}."],
      action: "Ver el evento",
    },
    "events.cancelled": {
      subject: "Cancelado: {title}",
      heading: "Cancelado: {title}",
      paragraphs: ["{title}, {time}, no tendrá lugar."],
    },
    "groups.requested": {
      subject: "{name} quiere entrar en {group}",
      heading: "{name} quiere entrar en {group}",
      paragraphs: ["Una solicitud espera a usted o a otra persona que modera {group}."],
      action: "Decidir",
    },
    "groups.invited": {
      subject: "{name} le invita a {group}",
      heading: "{name} le invita a {group}",
      paragraphs: ["Le han invitado al grupo {group}."],
      action: "Ver el grupo",
    },
    "groups.announced": {
      subject: "{group}: {title}",
      heading: "{group}: {title}",
      paragraphs: ["Hay un anuncio en {group}: {title}."],
      action: "Leerlo",
    },
    "groups.admitted": {
      subject: "Ya está dentro: {group}",
      heading: "Ya está dentro: {group}",
      paragraphs: ["Su solicitud se aceptó: ahora es miembro de {group}."],
      action: "Ver el grupo",
    },
    "groups.refused": {
      subject: "Su solicitud para {group}",
      heading: "Su solicitud para {group}",
      paragraphs: ["La moderación no aceptó su solicitud para entrar en {group}."],
    },
    "groups.removed": {
      subject: "Ya no está en {group}",
      heading: "Ya no está en {group}",
      paragraphs: ["La moderación le ha sacado de {group}."],
    },
    "groups.role_changed": {
      subject: "Su papel en {group} ha cambiado",
      heading: "Su papel en {group} ha cambiado",
      paragraphs: ["{name} le ha dado otro papel en {group}."],
      action: "Ver el grupo",
    },
    "groups.replied": {
      subject: "{name} respondió: {title}",
      heading: "{name} respondió: {title}",
      paragraphs: ["{name} respondió a lo que usted empezó en {group}: {title}."],
      action: "Leerlo",
    },
    "groups.digest": {
      subject: "Esta semana en sus grupos de {sender}",
      heading: "Esta semana en sus grupos de {sender}",
      paragraphs: ["Esto es lo nuevo en sus grupos:"],
    },
    "gamification.badge": {
      subject: "Ha conseguido una insignia: {name}",
      heading: "Ha conseguido una insignia: {name}",
      paragraphs: ["Ya figura en su perfil."],
    },
    "gamification.level": {
      subject: "Ha alcanzado el nivel {level}",
      heading: "Ha alcanzado el nivel {level}",
      paragraphs: ["Lo que hace por los demás va sumando."],
    },
    "gamification.challenge": {
      subject: "Ha superado el reto: {name}",
      heading: "Ha superado el reto: {name}",
      paragraphs: ["Los puntos son suyos."],
    },
    "gamification.season": {
      subject: "Ha quedado entre los primeros de {name}",
      heading: "Ha quedado entre los primeros de {name}",
      paragraphs: ["La temporada ha terminado y está entre los tres primeros."],
    },
    "abuse.found": {
      subject: "Pagos por revisar",
      heading: "Pagos por revisar",
      paragraphs: ["Una regla contra el abuso ha encontrado algo que espera revisión."],
    },
    "abuse.decided": {
      subject: "Sobre unos pagos suyos",
      heading: "Sobre unos pagos suyos",
      paragraphs: [
        "Una regla de la comunidad encontró pagos suyos y se han revisado: {reason}",
        "Puede ver qué se encontró y oponerse en un plazo de 30 días.",
      ],
    },
    "abuse.appealed": {
      subject: "Una oposición espera",
      heading: "Una oposición espera",
      paragraphs: ["Un miembro se opone a un caso. Debe verlo alguien que no lo decidió antes."],
    },
    "abuse.appeal_decided": {
      subject: "Se ha resuelto su oposición",
      heading: "Se ha resuelto su oposición",
      paragraphs: ["Una segunda persona ha revisado el caso y ha respondido."],
    },
    "safeguarding.proposed": {
      subject: "Se propone una persona de apoyo",
      heading: "Se propone una persona de apoyo",
      paragraphs: [
        "Se le pregunta si está de acuerdo. Puede negarse y terminarlo en cualquier momento.",
      ],
    },
    "safeguarding.answered": {
      subject: "Se ha respondido a una propuesta",
      heading: "Se ha respondido a una propuesta",
      paragraphs: ["Alguien ha respondido a la propuesta de una persona de apoyo."],
    },
    "safeguarding.ended": {
      subject: "Un acompañamiento ha terminado",
      heading: "Un acompañamiento ha terminado",
      paragraphs: ["Con él han terminado los derechos de la persona de apoyo."],
    },
    "safeguarding.vetting_expires": {
      subject: "Una comprobación suya caduca pronto",
      heading: "Una comprobación suya caduca pronto",
      paragraphs: ["Caduca en treinta días. Renuévela, por favor."],
    },
    "safeguarding.vetting_expired": {
      subject: "Una comprobación ha caducado",
      heading: "Una comprobación ha caducado",
      paragraphs: ["Lo que la exige no es posible hasta que se renueve."],
    },
    "safeguarding.restricted": {
      subject: "Algo no le es posible por ahora",
      heading: "Algo no le es posible por ahora",
      paragraphs: ["El motivo: {reason}"],
    },
    "safeguarding.copied": {
      subject: "Hay algo nuevo en una conversación de la que recibe copias",
      heading: "Hay algo nuevo en una conversación de la que recibe copias",
      paragraphs: ["Puede leerlo en la aplicación. Cada lectura queda registrada."],
    },
    "messaging.message": {
      subject: "{name} le ha escrito",
      heading: "{name} le ha escrito",
      paragraphs: ["Hay un mensaje nuevo para usted."],
      action: "Leerlo",
    },
    "messaging.mention": {
      subject: "{name} le ha mencionado",
      heading: "{name} le ha mencionado",
      paragraphs: ["Le han mencionado en una conversación."],
      action: "Leerlo",
    },
    "messaging.reminder": {
      subject: "Quería un recordatorio",
      heading: "Quería un recordatorio",
      paragraphs: ["Pidió que le recordáramos un mensaje."],
      action: "Ver el mensaje",
    },
    "messaging.not_sent": {
      subject: "Un mensaje no se ha enviado",
      heading: "Un mensaje no se ha enviado",
      paragraphs: ["El mensaje que programó no se pudo enviar a su hora."],
      action: "Ver la conversación",
    },
    "moderation.reported": {
      subject: "Se ha denunciado algo",
      heading: "Se ha denunciado algo",
      paragraphs: ["Una denuncia espera a la moderación."],
    },
    "moderation.decided": {
      subject: "Una decisión sobre algo suyo",
      heading: "Una decisión sobre algo suyo",
      paragraphs: [
        "Se denunció algo que publicó, y la moderación ha decidido.",
        "Puede leer el motivo y recurrir en un plazo de 30 días.",
      ],
      action: "Leer y recurrir",
    },
    "moderation.closed": {
      subject: "Se ha revisado su denuncia",
      heading: "Se ha revisado su denuncia",
      paragraphs: ["La moderación ha decidido sobre lo que denunció. Gracias por avisar."],
    },
    "moderation.appealed": {
      subject: "Se ha recurrido una decisión",
      heading: "Se ha recurrido una decisión",
      paragraphs: ["Un recurso espera a alguien de la moderación que no decidió antes."],
    },
    "moderation.appeal_decided": {
      subject: "Se ha resuelto su recurso",
      heading: "Se ha resuelto su recurso",
      paragraphs: [
        "Otra persona de la moderación ha revisado la decisión y ha respondido a su recurso.",
      ],
    },
    "two_factor.enabled": {
      subject: "La verificación en dos pasos está activada",
      heading: "La verificación en dos pasos está activada",
      paragraphs: [
        "Desde ahora su cuenta pide un código de su aplicación de autenticación.",
        "Si no la activó usted, restablezca su contraseña y pida ayuda de inmediato.",
      ],
    },
    "two_factor.disabled": {
      subject: "La verificación en dos pasos está desactivada",
      heading: "La verificación en dos pasos está desactivada",
      paragraphs: [
        "Su cuenta ya no pide un código de su aplicación de autenticación.",
        "Si no la desactivó usted, restablezca su contraseña ahora.",
      ],
    },
    "two_factor.backup_code_used": {
      subject: "Se usó un código de reserva",
      heading: "Se usó un código de reserva",
      paragraphs: [
        "Alguien, esperamos que usted, entró con uno de sus códigos de reserva. Códigos que quedan: {left}.",
        "Si no fue usted, restablezca su contraseña y pida códigos de reserva nuevos.",
      ],
    },
    "two_factor.backup_codes_replaced": {
      subject: "Tiene códigos de reserva nuevos",
      heading: "Tiene códigos de reserva nuevos",
      paragraphs: [
        "Se crearon códigos de reserva nuevos para su cuenta. Los anteriores ya no sirven.",
        "Si no fue usted, restablezca su contraseña ahora.",
      ],
    },
    "two_factor.device_remembered": {
      subject: "Se recuerda uno de sus dispositivos",
      heading: "Se recuerda {device}",
      paragraphs: [
        "Hasta el {date} puede entrar allí sin su segundo factor. Puede terminarlo en sus ajustes.",
        "Si no fue usted, restablezca su contraseña: después no se recuerda ningún dispositivo.",
      ],
    },
    "volunteering.signed_up": {
      subject: "Alguien quiere ayudar: {title}",
      heading: "Alguien quiere ayudar",
      paragraphs: ["«{title}» tiene una persona voluntaria más."],
      action: "Ver la convocatoria",
    },
    "volunteering.accepted": {
      subject: "Usted ayuda: {title}",
      heading: "Usted ayuda",
      paragraphs: ["Le han aceptado en «{title}»."],
      action: "Ver la convocatoria",
    },
    "volunteering.declined": {
      subject: "{title}",
      heading: "Esta vez sin usted",
      paragraphs: ["«{title}» ya tiene bastante ayuda, o busca otra. Gracias por ofrecerse."],
      action: "Ver la convocatoria",
    },
    "volunteering.cancelled": {
      subject: "Cancelado: {title}",
      heading: "Cancelado",
      paragraphs: ["«{title}» no tiene lugar."],
      action: "Ver la convocatoria",
    },
    "volunteering.hours_submitted": {
      subject: "Horas por revisar: {title}",
      heading: "Horas por revisar",
      paragraphs: ["Alguien anotó horas en «{title}». Quien lo dirige las aprueba."],
      action: "Ver la convocatoria",
    },
    "volunteering.hours_approved": {
      subject: "Sus horas cuentan: {title}",
      heading: "Sus horas cuentan",
      paragraphs: ["Se aprobaron {minutes} minutos del {day} en «{title}»."],
      action: "Ver la convocatoria",
    },
    "volunteering.hours_rejected": {
      subject: "Sus horas no fueron aprobadas: {title}",
      heading: "Sus horas no fueron aprobadas",
      paragraphs: ["{minutes} minutos del {day} en «{title}». Motivo: {reason}"],
      action: "Ver la convocatoria",
    },
    "volunteering.hours_revoked": {
      subject: "Se retiró una aprobación: {title}",
      heading: "Se retiró una aprobación",
      paragraphs: ["{minutes} minutos del {day} en «{title}» ya no cuentan. Motivo: {reason}"],
      action: "Ver la convocatoria",
    },
    "wallet.received": {
      subject: "Ha recibido {amount}",
      heading: "Ha recibido {amount}",
      paragraphs: ["De: {name}."],
    },
    "wallet.charged": {
      subject: "Han salido {amount} de su cuenta",
      heading: "Han salido {amount} de su cuenta",
      paragraphs: ["Para: {name}."],
    },
    "wallet.held": {
      subject: "{name} ha reservado {amount} para usted",
      heading: "{name} ha reservado {amount} para usted",
      paragraphs: ["Será suyo cuando lo tome; si el plazo vence, vuelve a quien lo reservó."],
    },
    "wallet.hold_voided": {
      subject: "Vuelve a disponer de {amount}",
      heading: "Vuelve a disponer de {amount}",
      paragraphs: ["Lo que reservó para {name} se ha liberado."],
    },
    "wallet.hold_expired": {
      subject: "Ha vencido una reserva de {amount}",
      heading: "Ha vencido una reserva de {amount}",
      paragraphs: ["Era entre usted y {name}. No se ha pagado nada."],
    },
    "wallet.requested": {
      subject: "{name} le pide {amount}",
      heading: "{name} le pide {amount}",
      paragraphs: ["Puede aceptar o rechazar en la aplicación."],
    },
    "wallet.request_reminder": {
      subject: "{name} sigue esperando {amount}",
      heading: "{name} sigue esperando {amount}",
      paragraphs: ["Ha pasado la mitad del plazo. Puede aceptar o rechazar en la aplicación."],
    },
    "wallet.request_declined": {
      subject: "{name} ha rechazado pagar {amount}",
      heading: "{name} ha rechazado pagar {amount}",
      paragraphs: ["Su petición está cerrada."],
    },
    "wallet.request_cancelled": {
      subject: "{name} ya no pide {amount}",
      heading: "{name} ya no pide {amount}",
      paragraphs: ["La petición se ha retirado."],
    },
    "wallet.request_expired": {
      subject: "Su petición de {amount} ha vencido",
      heading: "Su petición de {amount} ha vencido",
      paragraphs: ["{name} no ha respondido a tiempo."],
    },
    "wallet.balance_low": {
      subject: "Queda poco saldo en {name}: {amount}",
      heading: "Queda poco saldo",
      paragraphs: ["La cuenta de {name} tiene {amount}."],
    },
    "wallet.balance_critical": {
      subject: "Casi no queda saldo en {name}: {amount}",
      heading: "Casi no queda saldo",
      paragraphs: ["La cuenta de {name} tiene {amount}."],
    },
    "wallet.balance_high": {
      subject: "Hay mucho saldo en {name}: {amount}",
      heading: "Hay mucho saldo",
      paragraphs: ["La cuenta de {name} tiene {amount}. Una comunidad vive de lo que circula."],
    },
    "wallet.nudge": {
      subject: "La cuenta de {name} sigue en {amount}",
      heading: "El saldo no se mueve",
      paragraphs: ["La cuenta de {name} lleva treinta días fuera de su límite: {amount}."],
    },
    "wallet.account_frozen": {
      subject: "La cuenta de {name} está bloqueada",
      heading: "La cuenta está bloqueada",
      paragraphs: ["Nada entra ni sale hasta que la administración la desbloquee."],
    },
    "wallet.account_unfrozen": {
      subject: "La cuenta de {name} vuelve a estar abierta",
      heading: "La cuenta vuelve a estar abierta",
      paragraphs: ["Se puede usar como antes."],
    },
    "wallet.account_closed": {
      subject: "La cuenta de {name} se ha cerrado",
      heading: "La cuenta se ha cerrado",
      paragraphs: ["Lo que había en ella se ha traspasado."],
    },
    "wallet.broken": {
      subject: "Las cuentas de {name} no cuadran",
      heading: "Un libro de cuentas no cuadra",
      paragraphs: [
        "La comprobación nocturna de {name} ha encontrado una diferencia. Pida la prueba (wallet_reconcile) y mire el registro antes de seguir anotando.",
      ],
    },
    "passkeys.added": {
      subject: "Se añadió una llave de acceso",
      heading: "Se añadió una llave de acceso",
      paragraphs: [
        "Ahora se puede entrar en su cuenta de {domain} con la llave de acceso «{name}».",
        "Si no la añadió usted, restablezca su contraseña y elimine la llave de inmediato.",
      ],
    },
    "passkeys.removed": {
      subject: "Se eliminó una llave de acceso",
      heading: "Se eliminó una llave de acceso",
      paragraphs: [
        "La llave de acceso «{name}» de {domain} ya no abre su cuenta.",
        "Si no la eliminó usted, restablezca su contraseña ahora.",
      ],
    },
    "passkeys.copied": {
      subject: "Se rechazó una llave de acceso",
      heading: "Se rechazó una llave de acceso",
      paragraphs: [
        "Alguien usó la llave de acceso «{name}» de {domain} de un modo que hace pensar en una copia.",
        "Elimine esta llave y cree otra en un dispositivo de su confianza.",
      ],
    },
  },
};
