# Marco
app = Labward
skip = Saltar al contenido
nav-main = Principal
nav-home = Inicio
nav-flow = Flujo
nav-messages = Mensajes
nav-records = Historiales
nav-ledger = Registro
nav-people = Personas
nav-settings = Ajustes
nav-me = Mi cuenta
sign-out = Cerrar sesión
switch-person = Cambiar de persona
sealed-now = Sellado: la clave raíz no está abierta, así que no se recibe ni se entrega nada. Ábrala en el servidor con labward key unseal.
failing-now = No se puede escribir en el registro. No se acepta nada; los historiales solo pueden leerse por acceso de emergencia.
unknown = –
yes = sí
why = Motivo
why-help = Queda anotado en el registro. Como máximo 1,000 caracteres.
go-on = Continuar
back = Volver
of-size = { $count ->
    [one] { $count } byte
   *[other] { $count } bytes
  }
time = Hora
state = Estado
name = Nombre
kind = Tipo
older = Anteriores
newer = Posteriores
none-yes = No hay nada aquí.

# Inicio de sesión
session-title = ¿Sigue ahí?
session-idle = Nadie ha usado esta página desde hace un rato. Si no continúa, la sesión termina, la página desaparece de la pantalla y se pierde lo escrito y no enviado.
session-absolute = Esta sesión ha durado lo máximo permitido y no se puede prolongar. Envíe lo que haya escrito o inicie antes otra sesión.
session-ends-at = Termina a las
session-stay = Seguir en la sesión
session-go-on = Continuar hasta entonces
session-failed = El servidor no responde. Inténtelo de nuevo.
session-over = La sesión ha terminado
session-over-help = El contenido de esta página está oculto. Inicie sesión para continuar.
session-no-script = { $count ->
    [one] Sin scripts no hay aviso: esta página desaparece de la pantalla si no se usa durante un minuto, y se pierde lo no enviado.
   *[other] Sin scripts no hay aviso: esta página desaparece de la pantalla si no se usa durante { $count } minutos, y se pierde lo no enviado.
}
sign-in-title = Iniciar sesión
sign-in-login = Nombre de usuario
sign-in-password = Contraseña
sign-in-button = Entrar
sign-in-provider = Entrar con { $name }
sign-in-help = ¿No puede entrar u olvidó la contraseña? Pida una invitación a su administrador.
join-title = Le damos la bienvenida a { $lab }
join-lead = Elija el nombre con el que iniciará sesión y una contraseña.
join-code = Código de la invitación
join-login-help = De 3 a 64 letras minúsculas, cifras y . _ - @
join-password-help = Al menos 15 caracteres. Una frase que solo usted diría es buena. Puede pegarla o usar un gestor de contraseñas.
join-again = La contraseña otra vez
join-button = Guardar y entrar
join-different = Las dos contraseñas son distintas.

# Inicio
home-title = Inicio
home-todo = Lo que necesita a una persona ahora
home-installation = Qué está mal en esta instalación
home-nothing = Nada está mal en esta instalación. Se miraron { $count } cosas.
home-unmeasured = { $count ->
    [one] { $count } cosa no se pudo medir, y eso nunca se da por bueno
   *[other] { $count } cosas no se pudieron medir, y eso nunca se da por bueno
  }
home-held = { $count ->
    [one] { $count } mensaje está retenido y espera una decisión
   *[other] { $count } mensajes están retenidos y esperan una decisión
  }
home-analyzer = Aún no ha llegado ningún mensaje: conecte el primer analizador
home-analyzer-button = Conectarlo
home-held-button = Decidir
home-dead = { $count ->
    [one] { $count } mensaje no se pudo entregar
   *[other] { $count } mensajes no se pudieron entregar
  }
home-dead-button = Verlos
home-flow = Mensajes ahora
home-accepted = aceptados desde el arranque
home-waiting = esperan la entrega
home-delivered = entregados desde el arranque
home-entries = asientos en el registro
harm-high = Alto
harm-medium = Medio
harm-low = Bajo

# Flujo
flow-title = Flujo
flow-map = De los equipos, por Labward, a los destinatarios
flow-links = Enlaces de entrada
flow-destinations = Destinos de salida
flow-witnesses = Testigos
flow-protocol = Protocolo
flow-encrypted = Cifrado
flow-mutual-tls = TLS mutuo
flow-plain = sin cifrar
flow-age = archivo cifrado
flow-address = Dirección
flow-connections = Conexiones
flow-accepted = Aceptados
flow-held = Retenidos
flow-duplicates = Duplicados
flow-refused = Rechazados
flow-last = Último mensaje
flow-delivered = Entregados
flow-waiting = En espera
flow-dead = Sin entregar
flow-oldest = El más antiguo en espera
flow-certificate = Certificado hasta
flow-error = Último fallo
flow-resume = Que siga
flow-cosigned = Cofirmado
flow-size = Asientos
flow-webhooks = Avisos web
flow-host = Servidor
flow-taken = Último recibido
flow-next-attempt = Próximo intento
flow-test = Enviar un aviso de prueba
state-up = activo
state-down = caído
state-stopped = detenido
state-idle = inactivo
state-leaving = se retira
state-cosigned = cofirmado
state-failing = falla
state-not-asked = aún sin consultar
state-ready = listo
state-no-secret = aún sin secreto
state-refused = rechazado: tiene otra historia
state-received = recibido
state-held = retenido
state-released = liberado
state-rejected = rechazado
state-waiting = en espera
state-retrying = se reintenta
state-blocked = bloqueado
state-dead = sin entregar
state-delivered = entregado
state-active = activo
state-revoked = revocado

# Mensajes
messages-title = Mensajes
messages-all = Todos
messages-link = Enlace
messages-peer = De
messages-type = Tipo
messages-size = Tamaño
messages-deliveries = A dónde va
messages-reason = Motivo
messages-none = Ningún mensaje coincide.
messages-help = Lo que llegó por los enlaces, lo más nuevo primero. La lista no contiene datos de pacientes.
message-title = Mensaje { $record }
message-entry = Asiento del registro
message-destination = Destino
message-attempts = Intentos
message-content = Ver su contenido
message-content-help = Verlo queda anotado en el registro, con su motivo.
message-release = Liberar
message-release-help = Se entrega tal como está.
message-reject = Rechazar
message-reject-help = No va a ninguna parte; queda sellado tal como llegó.
message-resend = Enviar otra vez
message-resend-help = Lo envía una vez más a todos los destinos.
message-skip = Renunciar
message-skip-help = No se entrega allí; lo que espera detrás para el mismo paciente sigue.
message-decide = Decidir
message-path = Su recorrido
message-path-more = Puede haber más: mire en el registro.
step-message-received = recibido
step-message-held = recibido y retenido
step-message-released = liberado
step-message-rejected = rechazado
step-message-delivered = entregado
step-message-delivery-failed = la entrega falló
step-message-dead = abandonado
step-message-resent = enviado otra vez
step-record-shown = visto
step-record-exported = copiado hacia fuera
step-record-imported = tomado de un archivo
step-message-duplicate = llegó otra vez
step-message-refused = rechazado al llegar
step-message-forwarded = tomado por el servidor

# Historiales
records-title = Historiales
records-lead = Indique primero el motivo y busque por cualquiera de estos datos: los resultados aparecen al escribir un nombre o una fecha de nacimiento completa, y con Intro. Van enmascarados y cada búsqueda queda anotada con su motivo.
records-mrn = Número de paciente
records-authority = Asignado por
records-name = Nombre
records-name-help = A partir de tres letras al escribir; basta el principio y se toleran errores.
records-birth = Fecha de nacimiento
records-birth-help = AAAA-MM-DD, AAAA-MM o AAAA
records-accession = Número de acceso
records-search = Buscar
records-loading = Aún no se encuentra todo, tras un arranque o una importación grande: pueden faltar resultados. Busque de nuevo en un momento.
records-none = Nadie coincide. Revise la escritura o busque por otro dato.
records-unasked = No se pudo buscar: el servidor no responde. Pulse Buscar para intentarlo de nuevo.
records-hits = { $count ->
    [one] { $count } paciente
   *[other] { $count } pacientes
  }
records-born = nacimiento { $year }
records-count = { $count ->
    [one] { $count } documento
   *[other] { $count } documentos
  }
records-view = Ver
records-entry = Esta búsqueda es el asiento { $entry } del registro.
records-reserve = Esta búsqueda está en la reserva con el número { $number } hasta que se pueda escribir en el registro.
records-break-glass = Acceso de emergencia: el paciente no puede esperar
records-break-glass-help = Funciona también cuando no se puede escribir en el registro. Se guarda aparte y se revisa después.
record-title = Documento { $record }
record-read = Esta lectura es el asiento { $entry } del registro.
record-read-reserve = Esta lectura está en la reserva con el número { $number } hasta que se pueda escribir en el registro.
record-report = Informe de laboratorio
record-patient = Paciente
record-birth = Fecha de nacimiento
record-sex = Sexo
record-id = Número de paciente
record-order = Petición
record-test = Prueba
record-value = Resultado
record-unit = Unidad
record-range = Rango de referencia
record-flag = Marca
record-status = Estado
record-observed = Observado
record-earlier = Valores anteriores
record-earlier-read = { $count ->
    [one] Los valores anteriores proceden de un documento más antiguo, que también se leyó; todos los valores están en Todos los resultados.
   *[other] Los valores anteriores proceden de { $count } documentos más antiguos, que también se leyeron; todos los valores están en Todos los resultados.
  }
record-earlier-more = { $count ->
    [one] y uno más
   *[other] y { $count } más
  }
record-segments = Segmentos
record-field = Campo
record-content = Contenido
record-raw = Tal como se guardó
kind-hl7-v2 = mensaje HL7 v2
kind-astm = mensaje ASTM
kind-fhir-resource = recurso FHIR
kind-document = documento

# Todos los resultados de un paciente
patient-all = Todos los resultados
patient-title = Todos los resultados
patient-also = También conocido como
patient-number = Número en Labward
patient-read = { $count ->
    [one] Se leyó { $count } documento.
   *[other] Se leyeron { $count } documentos.
  }
patient-unread = { $count ->
    [one] { $count } documento más antiguo no está en esta tabla. Véalo en la búsqueda.
   *[other] { $count } documentos más antiguos no están en esta tabla. Véalos en la búsqueda.
  }
patient-unopened = Estos documentos no se pudieron abrir, así que falta aquí lo que contienen: { $records }
patient-none = Estos documentos no contienen resultados.
patient-cumulative = Resultados acumulados
patient-cumulative-help = Los valores están tal como se enviaron. Una prueba cuya unidad cambió, o cuyo código es propio de un laboratorio, tiene una línea por cada caso. Las horas son las de la observación.
patient-older = Los valores más antiguos están más abajo, con cada prueba.
patient-each = Cada prueba a lo largo del tiempo
patient-plot-help = La banda sombreada es el rango de referencia. Un rombo es un valor fuera de su rango; un triángulo indica que el valor está por encima o por debajo del límite que se envió. Lo que no es un número simple no se dibuja.
patient-plot = { $test } { $unit }: { $count } valores de { $first } a { $last }, entre { $low } y { $high }, incluidos los extremos del rango de referencia.
patient-values = { $count ->
    [one] { $count } valor
   *[other] { $count } valores
  }
patient-corrected = corregido
patient-before = Antes: { $values }
patient-withdrawn = retirado
patient-kept = (cuando se recibió)
flag-A = anormal
flag-AA = anormal crítico
flag-H = alto
flag-HH = alto crítico
flag-L = bajo
flag-LL = bajo crítico
flag-N = normal

# Quién vio los documentos de un paciente
accesses-button = Quién vio a este paciente
accesses-title = Quién vio estos documentos
accesses-lead = Todos los que recibieron estos documentos de salud, los vieron o los obtuvieron, según el registro de este laboratorio.
accesses-lab = Laboratorio
accesses-from = Desde
accesses-to = Hasta
accesses-show = Mostrar
accesses-who = Quién
accesses-what = Qué se hizo
accesses-records = Documentos
accesses-system = Automáticamente
accesses-came-from = de { $name }
accesses-went-to = a { $name }
accesses-emergency = en una emergencia
accesses-none-yet = Nada en esta parte del tiempo.
accesses-more = Esta lista no está completa: aún no se ha mirado lo anterior al asiento { $entry }.
accesses-complete = La lista está completa para este tiempo.
accesses-covers = Nombra todas las veces, también las de tratamiento, pago y el trabajo propio del laboratorio, que la ley no pide (45 CFR 164.528). Lo que otros hicieron con lo que recibieron no se sabe aquí.
accesses-entry = Que se hizo esta lista es el asiento { $entry } del registro.
access-list-exported = Se sacó una copia de una lista de este paciente
access-message-received = Llegaron resultados o una petición
access-message-held = Llegaron resultados o una petición y esperaron a que alguien los revisara
access-message-delivered = Se enviaron resultados
access-message-resent = Alguien hizo enviar otra vez resultados
access-patient-accounted = Se hizo una lista como esta
access-patient-disposed = Se destruyeron los documentos
access-record-exported = Se sacó una copia de los documentos
access-record-imported = Se tomaron documentos de un archivo
access-record-searched = Alguien buscó, y este paciente estaba entre lo encontrado
access-record-shown = Alguien vio los documentos

# Registro
ledger-title = Registro
ledger-lead = Cada acto es un asiento. Lo que identifica a un paciente queda sellado.
ledger-entry = Asiento
ledger-actor = Quién
ledger-action = Qué
ledger-subject = Sobre
ledger-outcome = Resultado
ledger-facts = Hechos
ledger-verify = Verificar
ledger-verify-help = Lee de nuevo cada fila, tesela y punto de control y lo compara con la palabra de los testigos. Con un millón de asientos tarda unos segundos.
ledger-good = El registro está íntegro.
ledger-bad = El registro no está íntegro. No reinicie nada; avise al responsable de seguridad.
ledger-checked = { $count ->
    [one] Se leyó y comprobó de nuevo { $count } asiento.
   *[other] Se leyeron y comprobaron de nuevo { $count } asientos.
  }
ledger-root = Hash raíz
ledger-faults = Qué está mal, y dónde
ledger-witnesses = Lo que dicen los testigos
ledger-no-witness = No se consultó a ningún testigo: esto no demuestra que no haya una segunda historia.
ledger-export = Exportar para un experto externo
ledger-export-help = Un paquete que se verifica sin conexión con labward ledger verify. La exportación misma es un asiento.
ledger-actor-help = person:3, peer:7, system; person: para todas las personas
ledger-action-help = record.shown; record. para todo lo que se hizo con documentos
ledger-subject-help = record:42, destination:EHR; finding: para todos los hallazgos
ledger-patient = Paciente
ledger-patient-help = El número en Labward
ledger-any = cualquiera
ledger-filter = Mostrar
ledger-looked = { $count ->
    [one] Se miró { $count } asiento.
   *[other] Se miraron { $count } asientos.
  }
ledger-not-all = Puede haber más adelante.
ledger-all = Eso es todo.
ledger-newest = Lo más nuevo
outcome-success = hecho
outcome-refused = rechazado
outcome-failed = fallido
entry-title = Asiento { $entry }
entry-payload = SHA-256 del documento sellado
entry-sealed = Quién, por qué y qué se pidió
entry-sealed-yes = sellado
entry-proof = Guardar su prueba
entry-proof-help = Una C2SP tlog-proof: con la clave pública del registro muestra a cualquiera que este asiento está en el registro.

# Personas
people-title = Personas
people-lead = Quién puede usar Labward, y como qué. Cada cual ve solo lo que su función permite.
people-role = Funciones
people-login = Nombre de usuario
people-account = Cuenta en el servidor
people-add = Añadir a un colega
people-add-button = Añadir
people-invite = Invitar
people-invite-title = Invitación para { $name }
people-invite-lead = Dé este enlace a { $name } y a nadie más. Sirve una vez, hasta { $until }, y solo se muestra ahora.
people-remove = Desactivar
people-remove-help = Cierra todas sus sesiones al instante. El nombre queda en el registro.
accounts-title = Cuentas en { $name }
accounts-lead = Quien entra desde allí es la persona a la que está vinculada su cuenta, con las funciones de sus grupos allí.
accounts-none = Todavía no hay ninguna cuenta vinculada.
accounts-account = Correo electrónico o nombre de usuario allí
accounts-subject = Identificada allí como
accounts-expected = aún no ha entrado
accounts-used = Última entrada
accounts-issuer = Responde de ella
accounts-mine-none = Ninguna cuenta de allí está vinculada a usted. La vincula quien administra.
accounts-sign-out = Salir aquí no cierra su sesión allí. En un puesto compartido, ciérrela también allí.
accounts-link = Vincular la cuenta
accounts-unlink = Desvincular
accounts-unlink-help = Cierra todas sus sesiones al instante. La cuenta no deja entrar a nadie hasta que se vincule de nuevo.
people-sessions = Sesiones
people-sessions-none = Nadie tiene una sesión abierta en la consola.
people-source = Desde
people-device = Navegador
people-began = Desde cuándo
people-seen = Visto por última vez
people-end = Cerrar
role-administrator = Administración
role-security-officer = Responsable de seguridad
role-lab-manager = Dirección del laboratorio
role-clinical-staff = Personal clínico
role-it = Informática
role-expert = Experto externo

# Ajustes
settings-title = Ajustes
settings-lead = La configuración es el archivo labward.toml del servidor. Aquí edita lo que puede cambiar mientras el laboratorio trabaja y ve qué cambiaría una recarga del archivo.
settings-same = El archivo es lo que está en vigor. No hay nada que recargar.
settings-changes = Lo que cambia una recarga
settings-table = Tabla
settings-key = Clave
settings-old = Ahora
settings-new = Después
settings-restart = necesita reiniciar
settings-reload = Poner en vigor
settings-refused = Una recarga sería rechazada:
settings-about = Sobre esta instalación
settings-version = Versión
settings-started = Arrancado

# Mi cuenta
me-title = Mi cuenta
me-language = Idioma
me-theme = Apariencia
me-save = Guardar
theme-auto = Como el dispositivo
theme-light = Clara
theme-dark = Oscura
language-auto = Como el navegador
me-sessions = Dónde tiene sesión abierta
me-this = esta
me-roles = Sus funciones
passkey-title = Llaves de acceso
passkey-lead = Con una llave de acceso inicia sesión con la huella, el rostro, un PIN o una llave de seguridad, sin escribir nombre ni contraseña.
passkey-none = Todavía no tiene ninguna llave de acceso.
passkey-name = Cómo la llama usted
passkey-name-help = Por ejemplo, el dispositivo donde está: llave azul de mi llavero
passkey-for = Sirve en
passkey-created = Añadida
passkey-used = Último uso
passkey-never = nunca
passkey-remove = Quitar
passkey-confirm = Su contraseña, para confirmar que es usted
passkey-where = Servirá donde la consola se abra como { $name }, y en ningún otro lugar.
passkey-need-name = Las llaves de acceso necesitan un nombre DNS y esta consola está configurada con una dirección. Quien la administra pone su nombre primero en names de [tls] en labward.toml; hasta entonces inicia sesión con su contraseña.
passkey-add = Añadir una llave de acceso
passkey-add-lead = El navegador le pide ahora su dispositivo. Siga lo que muestra.
passkey-sign-in = Entrar con una llave de acceso
passkey-sign-in-lead = El navegador le pide ahora su llave de acceso. No hace falta ningún nombre.
passkey-ask = Preguntar otra vez
passkey-no-script = Las llaves de acceso necesitan JavaScript, que este navegador no ejecuta aquí. Su nombre y su contraseña sirven igual.
passkey-elsewhere = Las llaves de acceso solo sirven donde la consola se abre como { $name }. Usted la abrió con otra dirección.
passkey-unsupported = Este navegador no puede usar llaves de acceso aquí. Su nombre y su contraseña sirven igual.
passkey-known = Este dispositivo ya tiene una llave de acceso suya.
passkey-nothing = No llegó ninguna llave de acceso: se canceló, tardó demasiado, no hay ninguna en este dispositivo o el navegador no confía en el certificado de esta página.
passkey-to-account = Volver a mi cuenta
passkey-to-password = Entrar con nombre y contraseña

# Hecho
done-released = Liberado: se está entregando.
done-rejected = Rechazado: no va a ninguna parte.
done-resent = Se está enviando otra vez.
done-skipped = Se renunció a él; lo que esperaba detrás sigue.
done-resumed = El destino sigue.
done-webhook-resumed = El aviso web sigue.
done-webhook-taken = El destino recibió el aviso de prueba.
done-webhook-not-taken = El destino no recibió el aviso de prueba. Lo que respondió está en Último fallo.
done-added = Añadido.
done-removed = Desactivado. Todas sus sesiones se cerraron.
done-ended = La sesión se cerró.
done-saved = Guardado.
done-reloaded = En vigor.
done-signed-out = Su sesión está cerrada.
done-passkey-added = La llave de acceso se añadió. Desde ahora puede entrar con ella.
done-passkey-removed = La llave de acceso se quitó. También puede borrarla en su dispositivo.

# Problemas
problem-title = No funcionó
problem-detail = Detalle técnico, en inglés:
problem-code = Código
problem-reference = Referencia para el archivo de sucesos
problem-home = A la página de inicio
problem-form = El formulario se envió desde otra página o demasiado tarde. Cargue la página de nuevo y envíelo otra vez.

# Medidas de protección
nav-safeguards = Medidas
home-safeguards = Medidas de protección de la ley
home-safeguards-line = { $not } no cumplidas, { $open } no medidas, { $decided } decididas de otro modo, { $met } cumplidas
safeguards-title = Medidas de protección
safeguards-lead = Cada requisito de la Regla de Seguridad de HIPAA, 45 CFR 164.308 a 164.316, con su estado calculado a partir de lo que Labward midió.
safeguards-translation = Los nombres de los requisitos son traducciones de trabajo. La ley es el texto en inglés de 45 CFR, parte 164.
safeguards-profile = Qué texto
safeguards-law = La norma vigente
safeguards-proposed = Propuesta de 2025
safeguards-not-law = Esto no es ley.
safeguards-not-law-help = Es lo que pediría la norma propuesta del 6 de enero de 2025 (90 FR 898), en lo que puede medirse. No se decide nada sobre ella.
safeguards-how = Cómo leer esta página
safeguards-how-met = Cumplida: todo lo que decide el requisito se midió y está bien, en lo que Labward protege. Los demás sistemas del laboratorio no se ven.
safeguards-how-part = No medida: al menos algo que la decide no se midió, o los hechos muestran solo una parte. Lo que no se midió nunca cuenta como cumplido.
safeguards-how-decided = Decidida de otro modo: una persona decidió, con una justificación y un fin. Una decisión no oculta ningún hecho malo, y lo obligatorio no puede descartarse por decisión.
safeguards-how-not = Esta página no es asesoría legal ni un certificado.
safeguards-requirement = Requisito
safeguards-facts = Hechos
safeguards-decision = Decisión
safeguards-good = Se cumple
safeguards-bad = No se cumple
safeguards-unknown = No medido
safeguards-part = Estos hechos muestran solo una parte.
safeguards-no-facts = Labward no mide nada sobre esto.
safeguards-by-specs = Según sus especificaciones
safeguards-would = sería obligatoria
safeguards-never = nunca
safeguards-share = { $of } de { $all }
safeguards-age = hace { $span }
safeguards-entry = asiento { $number }
safeguards-person = persona { $number }
safeguards-until = hasta el { $day }
safeguards-expired = venció el { $day }
safeguards-contradicted = Un hecho medido contradice esta decisión.
safeguards-rationale-sealed = La justificación está sellada hasta que se abra la clave raíz.
safeguards-decide = Decidir
safeguards-decide-title = Decidir sobre un requisito
safeguards-decide-lead = Una decisión sustituye lo que Labward no mide, o dice por qué una especificación abordable se hace de otro modo. Su nombre y la justificación quedan en el registro.
safeguards-kind = Decisión
safeguards-last-day = Último día
safeguards-last-day-help = Como máximo dentro de 24 meses. Después de ese día la decisión ya no vale.
safeguards-rationale = Justificación
safeguards-rationale-help = Qué se hace, dónde está escrito y por qué basta aquí. Sin datos de pacientes. Como máximo 1,000 caracteres.
safeguards-back = Volver
safeguards-present = La decisión actual
safeguards-withdraw = Retirarla
decision-implemented = implementada donde Labward no mide
decision-alternative = medida alternativa
decision-not-reasonable = no razonable ni apropiada
decision-does-not-apply = no se aplica aquí
section-administrative = Medidas administrativas (164.308)
section-physical = Medidas físicas (164.310)
section-technical = Medidas técnicas (164.312)
section-organizational = Requisitos de organización (164.314)
section-documentation = Políticas, procedimientos y documentación (164.316)
state-met = cumplida
state-not-met = no cumplida
state-not-measured = no medida
state-decided-otherwise = decidida de otro modo
kind-standard = estándar
kind-required = obligatoria
kind-addressable = abordable
done-decided = Decidido y anotado.
done-withdrawn = Retirada y anotada.
span-seconds = { $count ->
    [one] { $count } segundo
   *[other] { $count } segundos
}
span-minutes = { $count ->
    [one] { $count } minuto
   *[other] { $count } minutos
}
span-hours = { $count ->
    [one] { $count } hora
   *[other] { $count } horas
}
span-days = { $count ->
    [one] { $count } día
   *[other] { $count } días
}
safeguard-security-management = Proceso de gestión de la seguridad
safeguard-risk-analysis = Análisis de riesgos
safeguard-risk-management = Gestión de riesgos: lo dañino se resuelve
safeguard-sanctions = Sanciones al personal que incumple las normas
safeguard-activity-review = Revisión de lo que registran los sistemas
safeguard-security-official = Un responsable de seguridad
safeguard-workforce-security = Seguridad del personal
safeguard-supervision = Autorización y supervisión del personal
safeguard-clearance = Verificación antes de dar acceso
safeguard-termination = Fin del acceso cuando alguien se va
safeguard-access-management = Gestión del acceso a la información
safeguard-clearinghouse = Una cámara de compensación separada de la organización mayor
safeguard-access-authorization = A quién se concede acceso
safeguard-access-changes = Acceso creado, revisado y modificado
safeguard-awareness = Concienciación y formación en seguridad
safeguard-reminders = Recordatorios de seguridad
safeguard-malware = Protección contra programas maliciosos
safeguard-sign-in-monitoring = Vigilancia de los inicios de sesión
safeguard-passwords = Gestión de contraseñas
safeguard-incidents = Incidentes de seguridad
safeguard-incident-response = Respuesta a los incidentes y su notificación
safeguard-contingency = Plan de contingencia
safeguard-backup-plan = Copia de seguridad de los datos
safeguard-disaster-recovery = Recuperación de datos perdidos
safeguard-emergency-mode = El trabajo continúa en una emergencia
safeguard-plan-testing = El plan se prueba y se revisa
safeguard-criticality = Qué aplicaciones y datos importan más
safeguard-evaluation = Evaluación, técnica y de otro tipo
safeguard-associates = Asociados comerciales
safeguard-written-contract = Un contrato por escrito con cada asociado comercial
safeguard-facility-access = Acceso a las instalaciones
safeguard-contingency-access = Acceso a las instalaciones en una emergencia
safeguard-facility-plan = Plan de seguridad de las instalaciones
safeguard-visitor-control = Quién puede entrar según su función, y las visitas
safeguard-maintenance-records = Registro de reparaciones de puertas, cerraduras y paredes
safeguard-workstation-use = Para qué se usa un puesto de trabajo, y dónde
safeguard-workstation-security = Puestos de trabajo protegidos de otras personas
safeguard-devices-and-media = Equipos y soportes que entran y salen
safeguard-disposal = Eliminación de datos y soportes
safeguard-media-reuse = Soportes borrados antes de volver a usarse
safeguard-media-accountability = Quién movió qué equipos y soportes
safeguard-copy-before-move = Una copia antes de trasladar equipos
safeguard-access-control = Control de acceso
safeguard-unique-users = Identificación única de los usuarios
safeguard-emergency-access = Acceso en una emergencia
safeguard-automatic-logoff = Cierre automático de la sesión
safeguard-encryption-at-rest = Cifrado de lo que se guarda
safeguard-audit-controls = Controles de auditoría
safeguard-integrity = Integridad
safeguard-integrity-mechanism = Prueba de que los historiales no se alteraron
safeguard-authentication = Personas y máquinas son quienes dicen ser
safeguard-transmission = Seguridad de la transmisión
safeguard-transmission-integrity = Nada se altera por el camino
safeguard-transmission-encryption = Cifrado de lo que se envía
safeguard-associate-contracts = Qué deben decir los contratos con asociados comerciales
safeguard-contract-content = Qué promete un asociado comercial
safeguard-other-arrangements = Otros acuerdos en lugar de un contrato
safeguard-subcontractors = Contratos con subcontratistas
safeguard-health-plans = Planes de salud colectivos
safeguard-plan-documents = Qué deben decir los documentos del plan
safeguard-policies = Políticas y procedimientos
safeguard-documentation = Documentación por escrito
safeguard-kept-six-years = Documentación conservada seis años
safeguard-documentation-available = Documentación al alcance de quien la necesita
safeguard-documentation-updated = Documentación revisada y actualizada
safeguard-proposed-inventory = Inventario de activos tecnológicos, renovado cada 12 meses
safeguard-proposed-network-map = Mapa de la red, renovado cada 12 meses
safeguard-proposed-patches = Actualizaciones críticas en 15 días, las altas en 30
safeguard-proposed-access-end = Acceso terminado en una hora
safeguard-proposed-access-notice = Aviso a terceros del fin de un acceso en 24 horas
safeguard-proposed-restore = Sistemas y datos restaurados en 72 horas
safeguard-proposed-audit = Auditoría de cumplimiento cada 12 meses
safeguard-proposed-associates = Medidas de los asociados comerciales verificadas cada 12 meses
safeguard-proposed-unique = Identificación única de usuarios y activos tecnológicos
safeguard-proposed-logoff = Cierre automático de la sesión
safeguard-proposed-sign-ins = Intentos de inicio de sesión limitados
safeguard-proposed-segmentation = Segmentación de la red
safeguard-proposed-encryption = Cifrado de lo guardado y de lo enviado
safeguard-proposed-configuration = Configuración, programas y puertos en orden; antimalware
safeguard-proposed-audit-trail = Registro de auditoría en tiempo real
safeguard-proposed-mfa = Autenticación de varios factores
safeguard-proposed-transmission = Seguridad de la transmisión
safeguard-proposed-scans = Búsqueda de vulnerabilidades cada 6 meses
safeguard-proposed-penetration = Prueba de penetración cada 12 meses
safeguard-proposed-backup = Copias de seguridad de 48 horas como máximo
safeguard-proposed-contingency-notice = Aviso en 24 horas de que rige un plan de contingencia
fact-access-ended = Nadie que se haya ido puede seguir entrando
fact-accounts-known = A quien entra se le conoce por una cuenta o contraseña propia
fact-backup-apart = La última copia de seguridad está separada de los datos
fact-backup-recent = La última copia de seguridad tiene dos días como máximo
fact-break-glass-roles = Alguien puede leer por acceso de emergencia
fact-break-glass-reviewed = Una segunda persona revisó a tiempo cada acceso de emergencia
fact-certificates-valid = No ha vencido ningún certificado de un equipo o un edge
fact-checks-measured = La instalación se comprueba a sí misma
fact-clock-kept = Una fuente de hora mantiene el reloj
fact-disposal-complete = Ningún archivo de claves dura más de su plazo
fact-files-private = Los archivos son solo de la cuenta del servidor
fact-high-findings = Nada muy dañino está mal en la instalación
fact-hits-in-time = Las vulnerabilidades publicadas de los dispositivos se tratan a tiempo
fact-advisories-fresh = Hay avisos, y cada fuente se consultó hace poco
fact-key-archive-recent = El archivo de claves más nuevo tiene dos días como máximo
fact-keys-apart = Los archivos de clave están separados de los datos y son solo de la cuenta del servidor
fact-ledger-published = Puntos de control firmados cubren el registro
fact-ledger-verified = El registro se verificó sin fallos en los últimos 30 días
fact-ledger-written = El registro se está escribiendo
fact-lines-encrypted = Toda línea fuera de esta máquina está cifrada
fact-links-authenticated = Todo equipo fuera de esta máquina muestra su certificado
fact-malware-scanned = Todo lo que entra se examina en busca de software malicioso
fact-malware-rules = El software malicioso se busca con reglas incorporadas en los últimos 30 días
fact-malware-reacted = Lo que se reconoce como software malicioso se atiende en 72 horas
fact-memory-guarded = Las claves y los historiales en memoria no llegan en claro a ningún disco
fact-password-rule = Las contraseñas tienen al menos 15 caracteres y no son ninguna de las comunes
fact-peers-limited = Cada equipo solo puede enviar lo que se le asignó
fact-people-unique = No hay dos personas con la misma cuenta o nombre de acceso
fact-reads-recorded = Las lecturas y búsquedas quedan anotadas
fact-records-sealed = Los historiales más nuevos están sellados con AES-256-GCM
fact-reserve-ready = La reserva para leer por acceso de emergencia está apartada
fact-restore-drilled = Se probó una restauración en los últimos 90 días
fact-restore-time = La última restauración de prueba tardó 72 horas como máximo
fact-retention-floor = Los historiales se conservan al menos lo que pide la ley
fact-rights-recorded = Los permisos que se dan y se quitan quedan anotados
fact-second-factor = Quien inicia sesión en la consola muestra un segundo factor
fact-security-officer = Alguien es responsable de seguridad
fact-session-idle = Una sesión sin uso termina por sí sola
fact-sign-ins-refused = Los inicios de sesión rechazados se frenan y se anotan
fact-slots-tested = Cada ranura de la clave raíz se probó en los últimos 90 días

# La configuración, editada
configuration-link = Enlaces
configuration-destination = Destinos
configuration-route = Rutas
configuration-policies = Políticas
configuration-values = Valores
configuration-edit = Editar
configuration-add-link = Añadir un enlace
configuration-add-destination = Añadir un destino
configuration-add-route = Añadir una ruta
configuration-new-link = Otro enlace
configuration-new-destination = Otro destino
configuration-new-route = Otra ruta
configuration-one-link = Enlace { $name }
configuration-one-destination = Destino { $name }
configuration-one-route = Ruta { $name }
configuration-table-retention = Conservación
configuration-table-ledger = Registro
configuration-table-tls = Certificados
configuration-table-gateway = Pasarela
configuration-table-site = El laboratorio
configuration-table-log = Bitácora técnica
configuration-differs = El archivo del servidor se editó allí y no está en vigor. Póngalo en vigor más abajo o haga que lo restauren; hasta entonces aquí no se puede editar nada.
configuration-lead = Todavía no cambia nada: la página siguiente muestra qué cambiaría y pregunta el motivo. El archivo labward.toml conserva sus comentarios y su orden.
configuration-more = Más ajustes
configuration-default = Si se deja vacío: { $value }
configuration-only = Solo si «{ $key }» es { $value }.
configuration-preview = Mostrar qué cambiaría
configuration-remove = Quitarlo
configuration-remove-lead = La página siguiente muestra qué se va con ello y vuelve a preguntar. Los mensajes recibidos se conservan.
configuration-remove-preview = Mostrar qué cambia al quitarlo
configuration-preview-title = Qué va a cambiar
configuration-refused = Esto no se puede poner en vigor:
configuration-stays-open = No se cierra ninguna conexión.
configuration-closes = Se cierra el enlace { $link }.
configuration-connections = { $count ->
    [one] Con él termina { $count } conexión.
   *[other] Con él terminan { $count } conexiones.
 }
configuration-waiting = { $count ->
    [one] { $count } mensaje espera a este destino.
   *[other] { $count } mensajes esperan a este destino.
 }
configuration-held = { $count ->
    [one] { $count } está retenido.
   *[other] { $count } están retenidos.
 }
configuration-dead = { $count ->
    [one] Se renunció a { $count }.
   *[other] Se renunció a { $count }.
 }
configuration-meanwhile = Mientras tanto, { $who } cambió la configuración
configuration-meanwhile-unknown = Mientras tanto la configuración cambió y ya no se sabe quién lo hizo
configuration-theirs = Cambió:
configuration-both = Su cambio también toca esto:
configuration-merged = Su cambio no toca nada de eso: abajo están los dos juntos.
configuration-choose = Elija: hacer su cambio por encima del otro, o dejar el otro como está.
configuration-mine = Mostrar mi cambio por encima del otro
configuration-theirs-stay = Dejar el otro
configuration-put = Poner en vigor
configuration-remove-now = Quitarlo ahora
done-changed = Escrito en labward.toml y en vigor.
wrong-missing = Esto es necesario.
wrong-name-taken = Ya hay uno con este nombre.
wrong-listen-twice = Otro enlace ya escucha ahí.
wrong-value = Esto no vale aquí.
wrong-value-needs = Esto no vale aquí. { $what }
expected-number = Un número entero de { $least } a { $most }.
expected-number-from = Un número entero desde { $least }.
expected-numbers = Números enteros de { $least } a { $most }, separados por comas.
expected-texts = Si son varios, sepárelos con comas.
expected-name = De 1 a 64 letras, cifras, -, _ o .
expected-listen = Una dirección de esta máquina y un puerto, como 0.0.0.0:2575.
expected-address = Un servidor y un puerto, como ehr.example:2575.
expected-day = Un día, como 2027-06-30.
field-name = Nombre
field-listen = Escucha en
field-framing = Entramado
field-peer = Equipo
field-acknowledge = Acuses de recibo
field-same-id-other-content = Identificador de control conocido, otro contenido
field-batch = Los lotes se responden
field-strictness = Fallos de entramado
field-one-connection = Una conexión por equipo
field-authority = Autoridad asignadora de los pacientes que no la nombran
field-transport-mode = Protección de la línea
field-transport-reason = Por qué la línea va sin cifrar
field-transport-owner = Quién responde de la línea sin cifrar
field-transport-expires = Último día de la línea sin cifrar
field-transport-from-addresses = Direcciones que pueden conectarse
field-inspect-malicious = Un mensaje con software malicioso
field-inspect-suspicious = Un mensaje con lo que puede ser software malicioso
field-inspect-unscannable = Un mensaje que no se pudo examinar
field-inspect-failed = Un mensaje mientras nadie puede examinar
field-limits-max-connections = Conexiones como máximo
field-limits-max-connections-per-address = Conexiones desde una dirección como máximo
field-limits-handshake-seconds = Segundos para la negociación TLS
field-limits-frame-seconds = Segundos para una trama
field-limits-max-message-bytes = Bytes de un mensaje como máximo
field-limits-messages-per-second = Mensajes por segundo como máximo
field-limits-burst-messages = Mensajes de golpe como máximo
field-limits-noise-seconds = Segundos de ruido en una línea sin cifrar
field-limits-window-messages = Mensajes en la ventana de duplicados
field-limits-window-days = Días de la ventana de duplicados
field-target-kind = Tipo
field-target-address = Dirección
field-target-framing = Entramado
field-target-folder = Carpeta
field-target-recipient = Destinatario (clave pública age)
field-target-transport-mode = Protección de la línea
field-target-transport-server-name = Nombre en el certificado del receptor
field-target-transport-spki-sha256 = SHA-256 de la clave pública del receptor
field-target-transport-peer = Equipo que es el receptor
field-target-transport-ca = Archivo con las autoridades del receptor
field-target-transport-reason = Por qué la línea va sin cifrar
field-target-transport-owner = Quién responde de la línea sin cifrar
field-target-transport-expires = Último día de la línea sin cifrar
field-connections = Conexiones
field-ack-seconds = Segundos para un acuse de recibo
field-connect-seconds = Segundos para conectar
field-wait-for-application-ack = Esperar el acuse de la aplicación
field-on-error = Tras AE o CE
field-on-reject = Tras AR o CR
field-on-timeout = Tras quedar sin respuesta
field-retry-first-ms = Milisegundos antes del primer reintento
field-retry-max-ms = Milisegundos entre reintentos como máximo
field-retry-max-attempts = Intentos antes de darlo por perdido (0: nunca)
field-retry-max-hours = Horas sin respuesta antes de darlo por perdido (0: nunca)
field-types = Tipos de mensaje
field-from = De los equipos
field-links = En los enlaces (ninguno: todos)
field-to = A los destinos
field-results-years = Años para resultados
field-pathology-years = Años para patología
field-publish-seconds = Segundos entre puntos de control
field-alarm-days = Días de aviso antes del fin de un certificado
field-authority-alarm-days = Días de aviso antes del fin de la autoridad
field-drain-seconds = Segundos para los mensajes en curso al parar
field-level = Nivel
# El primer analizador
analyzer-connect = Conectar un analizador
analyzer-lead = Lo que diga aquí abre el camino a este analizador y a nada más. Puede dejarlo en cualquier momento y volver: lo hecho queda hecho.
analyzer-known = Analizadores que ya están
analyzer-another = Conectar otro
analyzer-name = Cómo se llama en Labward
analyzer-name-help = Letras sin acentos, cifras, - _ y . como quim1. Aparece en todas las páginas y no se cambia.
analyzer-way = Cómo se conecta
analyzer-way-tls = Con un certificado (TLS)
analyzer-way-tls-help = Lo habitual. Él, o un equipo pequeño a su lado, recibe un archivo con su propio certificado.
analyzer-way-loopback = Sin cifrar, en esta máquina
analyzer-way-loopback-help = Solo si el programa del analizador está en esta misma máquina: así nada sale de ella sin cifrar.
analyzer-way-edge = Un analizador en otro sitio que no conoce TLS recibe a su lado un equipo pequeño con Labward (un edge). En una terminal de esta máquina:
analyzer-port = Puerto
analyzer-port-help = Dónde escucha Labward. Si ahí no escucha todavía ningún enlace, se abre uno.
analyzer-speaks = Qué protocolo habla
analyzer-hl7 = HL7 v2 por MLLP
analyzer-astm = ASTM (LIS1-A y LIS2-A2)
analyzer-application = Su aplicación (MSH-3)
analyzer-facility = Su centro (MSH-4)
analyzer-types = Qué envía (MSH-9)
analyzer-sender = Su nombre en ASTM (H-5)
analyzer-rules-help = Puede enviar esto y nada más. Si son varios, sepárelos con comas; un * al final vale por lo que siga. Si no está seguro, escriba lo que dice su manual: un mensaje que no coincide se conserva, y la página siguiente nombra el campo.
analyzer-authority = De quién son los números de paciente que envía (opcional)
analyzer-authority-help = La autoridad que los asigna cuando un mensaje no la nombra, como MAINLAB.
analyzer-go = Abrir el camino
analyzer-later = Más tarde
analyzer-recorded = Conectar el analizador { $name }
analyzer-title = Conectar { $name }
analyzer-no-link = Ningún enlace sirve para este analizador. Abra uno en Ajustes o conéctelo de nuevo.
analyzer-file = Dele su archivo
analyzer-file-lead = Su certificado, su clave privada y la autoridad propia del laboratorio en un archivo. Quien tiene el archivo puede enviar como este analizador: llévelo en algo que pueda borrar, nunca por correo, y bórrelo aquí.
analyzer-file-button = Descargar { $name }.pem
analyzer-file-help = La clave no se guarda en ningún otro sitio. Cada descarga hace un certificado nuevo y queda anotada con su nombre; el anterior sirve 14 días más.
analyzer-set = Configúrelo
analyzer-host = Dirección del servidor
analyzer-plain = ninguno: está en esta máquina
analyzer-tls = TLS 1.2 o 1.3 con el certificado de cliente del archivo
analyzer-first = Su primer mensaje
analyzer-waiting = Esperando el primer mensaje…
analyzer-waiting-help = Haga que el analizador envíe un resultado, por ejemplo el de un control. Esta página vuelve a mirar por sí sola; sin scripts, cárguela de nuevo.
analyzer-received = Recibido.
analyzer-received-help = Está guardado y sellado, con su asiento en el registro, y se acusó recibo. El analizador está conectado.
analyzer-held = Llegó, y está retenido:
analyzer-held-field = Lo que pone en { $field } no es lo que este analizador puede enviar. Lo corrige administración, seguridad o informática con labward peer set.
analyzer-see = Ver el mensaje
analyzer-connections = conexiones abiertas ahora
analyzer-refused = conexiones rechazadas desde el arranque
analyzer-refusals = Rechazadas en los últimos diez minutos; cada una aparece al cabo de un minuto o dos
analyzer-why = Por qué
analyzer-nothing = Si no llega nada
analyzer-nothing-reach = ¿Llega el analizador a esta máquina por ese puerto? Si hay un cortafuegos en medio o la dirección está mal, aquí no aparece ninguna conexión.
analyzer-nothing-name = ¿Está la dirección del servidor escrita tal como arriba? El analizador la compara con el nombre del certificado del servidor.
analyzer-nothing-clock = ¿Va bien el reloj del analizador? Con otro día, un certificado bueno parece vencido o aún sin empezar.
analyzer-nothing-framing = ¿Está configurado con el protocolo de arriba? Con otro hay conexión, pero no mensaje.
analyzer-nothing-reload = ¿Tomó el analizador sus ajustes? Muchos lo hacen solo al reiniciarse.
stranger-bad-certificate = Su certificado está dañado o es de otra clase.
stranger-connection-lost = Colgó antes de mostrar su certificado: quizá no conoce la autoridad del laboratorio, o tiene otro nombre como dirección del servidor.
stranger-expired = Su certificado venció, o va mal su reloj o el de esta máquina.
stranger-handshake-failed = Falló el inicio de TLS: quizá no conoce la autoridad del laboratorio, que está en el archivo.
stranger-handshake-timeout = Se conectó y no dijo nada a tiempo.
stranger-http = Habló HTTP: no es un analizador, o su programa está configurado con otro protocolo.
stranger-no-certificate = No mostró ningún certificado: ponga el archivo, o su certificado y su clave, en sus ajustes de TLS.
stranger-not-tls = Habló sin TLS: active TLS en sus ajustes.
stranger-not-yet-valid = Su certificado aún no vale: compare los relojes.
stranger-other-peer = Este enlace es solo para otro equipo.
stranger-revoked = Su certificado fue revocado.
stranger-tls-on-plain-port = Habló TLS en un enlace sin cifrar.
stranger-tls-too-old = Solo conoce versiones de TLS que ya no son seguras, o sus cifrados.
stranger-unknown-address = Desde esta dirección no se puede conectar nada sin certificado.
stranger-unknown-key = Labward no conoce su certificado: ¿es el archivo correcto?
stranger-wrong-issuer = Su clave es conocida, pero su certificado no es de la autoridad del laboratorio.

# El primer arranque
setup-title = Instalar Labward
setup-steps = Pasos de la instalación
setup-step-lab = Laboratorio
setup-step-administrator = Primer administrador
setup-step-keys = Claves
setup-step-shares = Partes de recuperación
setup-step-start = Arranque
setup-open-lead = Este servidor todavía no tiene ningún laboratorio. Puede instalarlo quien tenga el enlace que mostró al arrancar.
setup-code = Código del enlace de instalación
setup-code-help = Lo que está detrás del # del enlace. El enlace también está en un archivo junto a la carpeta de datos que solo puede leer la cuenta del servidor.
setup-open-button = Empezar la instalación
setup-fingerprint-help = Su navegador le avisó porque esta página muestra un certificado hecho solo para la instalación. Compare su huella SHA-256 con la que el servidor mostró junto al enlace; si son distintas, no siga.
setup-spent = Este enlace ya se usó: otro navegador está instalando este servidor.
setup-spent-todo = Si no es usted ni un colega, pare el servidor de inmediato. Al arrancar de nuevo hace un enlace nuevo, y no queda nada de una instalación sin terminar.
setup-wrong-code = Este no es el código del enlace que el servidor mostró en su último arranque.
setup-next = Siguiente
setup-back = Atrás
setup-lab-title = Su laboratorio
setup-lab-lead = Hasta que se cree la instalación no se escribe nada: sus respuestas están en la memoria de este servidor, puede cerrar esta ventana y volver, y si el servidor se reinicia se empieza de nuevo.
setup-lab-name = Nombre del laboratorio
setup-lab-names = Nombres y direcciones de esta máquina
setup-lab-names-help = Con los que llegan a ella navegadores, analizadores y otros centros, separados por espacios. Se ponen en el certificado del servidor. Una llave de acceso necesita más adelante un nombre, no una dirección.
setup-restore = Restaurar desde una copia de seguridad
restore-title = Restaurar desde una copia de seguridad
restore-lead = Para una máquina nueva tras una pérdida. Las carpetas deben ser accesibles en la máquina del servidor; nada en ellas se modifica.
restore-backups = Carpeta de las copias de seguridad
restore-backups-help = Se restaura la copia completa más reciente. Para una anterior, use labward backup restore en la línea de órdenes.
restore-archives = Carpeta de los archivos de claves
restore-slot = Qué abre el archivo de claves
restore-slot-file = Un fichero de clave del laboratorio
restore-path = Ruta del fichero de clave
restore-slot-passphrase = La frase de contraseña
restore-slot-shares = Partes de recuperación
restore-shares-help = Una parte por línea, tantas como hagan falta juntas.
restore-without = Continuar y perder lo que abren esas claves: esos documentos no podrán leerse nunca más.
restore-note = Apague antes el servidor antiguo, si aún funciona: dos servidores de un mismo laboratorio no deben entregar nunca a la vez.
restore-button = Restaurar
restoring-title = La copia se está restaurando
restoring-lead = Cada parte se comprueba mientras se escribe, y después el registro. Un laboratorio grande tarda minutos; puede cerrar esta ventana y volver.
restoring-look = Mirar de nuevo
restored-title = El laboratorio está restaurado
restored-lead = Todo se ha comprobado: claves, documentos y el registro desde su primer asiento hasta su firma.
restored-missing = { $count ->
    [one] Falta la clave de { $count } paciente: sus documentos no podrán leerse nunca más.
   *[other] Faltan las claves de { $count } pacientes: sus documentos no podrán leerse nunca más.
  }
restored-moment = El momento restaurado; lo que llegó después no está incluido
restored-generation = copia { $number }
restored-entries = Asientos del registro
restored-disposed = Pacientes eliminados desde entonces, que siguen eliminados
restored-hold = No se entrega nada hasta que alguien haya visto que el servidor antiguo está apagado y lo confirme: Inicio lo muestra tras iniciar sesión.
restored-started-lead = En un momento el servidor estará como antes. Inicie sesión como siempre.
restored-no-console = Este laboratorio no tiene consola: siga en la línea de órdenes.
setup-administrator-title = El primer administrador
setup-administrator-lead = Se ocupa de claves, analizadores, personas y ajustes, e invita a los demás. No hay ninguna contraseña de fábrica.
setup-person-name = Nombre
setup-reads = También consulta historiales de pacientes (dirección del laboratorio)
setup-reads-help = Por separado, ninguna cuenta da acceso a la gente y lee a la vez lo que esta puede leer; un laboratorio pequeño suele necesitar las dos cosas.
setup-keys-title = Las claves de sus historiales
setup-keys-lead = La clave raíz abre todos los historiales. Una ranura es una manera de abrirla; basta con una cualquiera, y sin ninguna ya nunca se podrá leer nada.
setup-slot = Cómo abre el servidor la clave raíz
setup-slot-file = Con un archivo de clave en otro volumen: el servidor arranca por sí solo (recomendado)
setup-key-file = Archivo de clave
setup-path = Ruta del archivo de clave que se va a crear
setup-path-help = En la máquina del servidor, fuera de la carpeta de datos, mejor en un volumen que no se roba junto con los datos. Su carpeta debe existir.
setup-slot-passphrase = Con una frase de contraseña: tras cada arranque alguien la escribe en la línea de órdenes del servidor
setup-passphrase = Frase de contraseña
setup-passphrase-help = Al menos 15 caracteres.
setup-passphrase-again = La frase otra vez
setup-passphrases-differ = Las dos frases de contraseña son distintas.
setup-shares = Partes de recuperación en papel
setup-shares-help = Para el día en que falte el archivo de clave o la frase. Cada parte va a una persona distinta; una sola no abre nada.
setup-shares-three = Tres partes, dos cualesquiera abren los historiales
setup-shares-five = Cinco partes, tres cualesquiera abren los historiales
setup-create-note = El paso siguiente crea la instalación: carpetas, base de datos, claves, certificados, registro. Después se muestran las partes, una sola vez.
setup-create = Crear la instalación
setup-shares-title = Partes de recuperación
setup-shares-lead = Imprima esta página o copie ahora cada parte, cada una en un papel propio para una persona distinta. Cuando siga adelante no se vuelven a mostrar, y no se guardan en ningún sitio.
setup-share = Parte
setup-share-opens = { $count ->
    [one] { $count } cualquiera de estas partes abre los historiales.
   *[other] { $count } cualesquiera de estas partes abren los historiales.
  }
setup-share-given = Entregada a, fecha:
setup-written = Ya están todas en papel
setup-confirm-title = Escriba lo que dice el papel
setup-confirm-lead = Una parte mal copiada no abre nada. Tras tres respuestas erróneas seguidas, la instalación empieza de nuevo con partes nuevas.
setup-groups = grupos { $groups }
setup-groups-help = No importan las mayúsculas, los espacios ni los guiones.
setup-lost = ¿Falta un papel o está mal? Empiece de nuevo: se borra lo creado y se hacen partes nuevas.
setup-again = Empezar de nuevo
setup-failed-title = La instalación no salió bien
setup-failed-lead = Lo que se creó no se puede usar, y las partes que haya copiado no abren nada: destrúyalas. Empiece de nuevo; antes se borra lo que quedó a medias.
setup-done-title = Su laboratorio está instalado
setup-done-lead = Falta una cosa: desde el arranque el servidor muestra otro certificado, emitido por la autoridad propia de su laboratorio.
setup-beside-data = El archivo de clave está en el mismo sistema de archivos que los datos: quien se lleve el disco tiene ambos. Muévalo a otro volumen y mire después labward check.
setup-sealed = Tras cada arranque posterior alguien debe escribir la frase de contraseña: labward key unseal. Hasta entonces no se recibe nada y no se llega a esta consola.
setup-authority-title = Dé a conocer el certificado nuevo
setup-authority-lead = Descargue el certificado de la autoridad, compare su huella y añádalo a las autoridades en las que confía este navegador o esta máquina. Así su navegador mostrará la consola sin avisos y le avisaría de un impostor.
setup-authority-download = Descargar el certificado de la autoridad
setup-authority-sha256 = Huella SHA-256 del certificado de la autoridad
setup-server-sha256 = Huella SHA-256 del certificado del servidor
setup-server-names = Nombres en el certificado del servidor
setup-ledger-key = Clave pública del registro, para quien lo vaya a comprobar
setup-start-lead = El arranque termina la instalación para siempre. Si nadie lo hace, el servidor arranca por sí solo a los 15 minutos.
setup-start = Arrancar Labward
setup-started-title = Labward arranca
setup-started-lead = En un momento estará la consola, con el certificado nuevo. Entre con el nombre y la contraseña que eligió.
setup-sign-in = Ir al inicio de sesión
setup-next-title = Qué hacer ahora
setup-next-check = Ver lo que aún está mal, lo más dañino primero: la página de inicio, o
setup-next-analyzer = Conectar el primer analizador: al entrar, Inicio le guía. En una terminal:
setup-next-backup = Hacer una copia de seguridad en otro volumen y probar a restaurarla:
setup-next-people = Invitar a sus colegas, en la página Personas.
# Acceso de emergencia
glass-title = Acceso de emergencia
glass-lead = Para un paciente que no puede esperar. Termina por sí solo, funciona también cuando no se puede escribir en el registro, y una segunda persona revisa lo que se leyó.
glass-why = Por qué el paciente no puede esperar
glass-why-help = Se anota y lo ve la persona que lo revisa. Como máximo 1,000 caracteres.
glass-open = { $count ->
    [one] Abrir durante { $count } minuto
   *[other] Abrir durante { $count } minutos
  }
glass-now = { $count ->
    [one] El acceso de emergencia está abierto: queda { $count } minuto
   *[other] El acceso de emergencia está abierto: quedan { $count } minutos
  }
glass-now-until = Termina el
glass-now-help = Todo lo que lea queda anotado y se revisa.
glass-end = Terminarlo ahora
openings-title = Revisiones de accesos de emergencia
openings-lead = Alguien distinto de quien abrió el acceso de emergencia dice si leer estuvo justificado.
openings-none = Nadie ha abierto un acceso de emergencia.
opening-title = Acceso de emergencia { $number }
opening-opened = Abierto
opening-who = Quién
opening-until = Termina o terminó
opening-see = Ver
opening-record = Documento
opening-state-open = abierto
opening-state-waiting = espera una revisión
opening-state-overdue = revisión atrasada
opening-state-reviewed = revisado
opening-readings = Qué se leyó
opening-nothing-read = No se leyó nada.
opening-did-record-searched = buscó
opening-did-record-shown = vio
opening-review = Revisión
opening-verdict = ¿Estuvo justificado leer?
opening-reviewer = Revisado por
opening-note = Nota
opening-own = Usted lo abrió, así que lo revisa otra persona.
opening-still-open = Todavía está abierto. Revíselo cuando haya terminado.
opening-review-button = Anotar la revisión
verdict-appropriate = Justificado
verdict-not-appropriate = No justificado
person-gone = persona { $number }, dada de baja después
home-opening = { $name } abrió un acceso de emergencia a los documentos:
home-opening-button = Revisarlo
done-glass-opened = El acceso de emergencia está abierto.
done-glass-ended = El acceso de emergencia ha terminado.
done-reviewed = La revisión está anotada.
export-csv = Exportar CSV
export-csv-help = Todas las páginas de esta lista con el filtro actual, como máximo 1,000,000 de filas; queda registrado
list-findings = hallazgos
list-not-measured = lo que no se midió
list-links = enlaces
list-destinations = destinos
list-witnesses = testigos
list-webhooks = avisos web
list-messages = mensajes
list-results = resultados
list-accesses = accesos
list-entries = asientos
list-safeguards = salvaguardas
list-people = personas
list-openings = accesos de emergencia
list-sessions = sesiones

# Personas: funciones, una lista, invitaciones
person-title = Funciones de una persona
person-lead = Lo que permiten las funciones vale de inmediato, también en las sesiones abiertas y para los tokens. El cambio queda registrado.
person-set = Asignar funciones
done-roles-set = Las funciones están asignadas y valen desde ahora.
people-import-title = Añadir personas de una lista
people-import-lead = Pegue las filas de una hoja de cálculo, vea qué pasaría y añádalas todas a la vez. Quien ya está queda como está, así que la misma lista puede usarse otra vez.
people-import-list = La lista
people-import-table = Filas, con los nombres de las columnas arriba
people-import-help = Hacen falta las columnas name (o nombre) y role (o función); las demás no se miran. Coma, punto y coma o tabulador entre ellas; un signo más entre varias funciones de una persona.
people-import-look = Revisarla
people-import-preview = Qué pasaría
people-import-would-add = { $count ->
    [one] Se añadiría { $count } persona.
   *[other] Se añadirían { $count } personas.
}
people-import-known = { $count ->
    [one] { $count } ya está.
   *[other] { $count } ya están.
}
people-import-refused = { $count ->
    [one] { $count } línea no se entiende; no se puede añadir nada hasta corregirla.
   *[other] { $count } líneas no se entienden; no se puede añadir nada hasta corregirlas.
}
people-import-apply = { $count ->
    [one] Añadir { $count } persona y crear su invitación
   *[other] Añadir { $count } personas y crear sus invitaciones
}
people-import-added = { $count ->
    [one] Se añadió { $count } persona.
   *[other] Se añadieron { $count } personas.
}
people-import-line = Línea
people-import-state-new = nueva
people-import-state-added = añadida
people-import-state-known = ya está
people-import-state-expert = un experto externo se añade aparte, con lo que ve
people-import-state-no-role = no hay tal función
people-import-state-no-name = no es un nombre
people-import-example = Cómo se ve
people-import-word = En la lista
invitations-title = Invitaciones
invitations-lead = Imprima esta hoja y dé a cada quien solo su parte: quien la tiene elige la contraseña. Se muestra solo ahora.
invitation-until = Sirve una vez, hasta { $until }.
invitation-qr = Código QR de la invitación para { $name }
invitation-qr-help = O deje que la cámara del teléfono lea el código. El teléfono debe estar en la red del laboratorio.

# La referencia de la API
reference-title = Referencia de la API
reference-lead = Todo lo que hace la consola pueden hacerlo también los programas, con un token. Las descripciones están en inglés.
reference-how = Un token se crea en el servidor con labward token create y se envía en el encabezado Authorization: Bearer. Las solicitudes y respuestas son JSON.
reference-file = Documento OpenAPI (openapi.json)
reference-operations = Solicitudes
reference-request = Solicitud
reference-does = Qué es
reference-takes = Recibe
reference-gives = Devuelve
reference-permission = Permiso y funciones
reference-not-yours = No con sus funciones.
reference-types = Tipos
reference-member = Miembro
reference-kind = Clase
reference-required = obligatorio
reference-link = Referencia de la API, para programas

# El encargo de un experto externo.
engaged-now = Usted ve los asientos del { $from } al { $until } sobre: { $topics }. Lo que muestra el presente solo está aquí en ese tiempo. Su acceso termina después del { $ends }.
mark-confidential = CONFIDENCIAL
engage-title = Para un experto externo: qué ve y hasta cuándo
engage-help = Ve los asientos de estos días sobre estos temas, nunca datos de un paciente. Las páginas que muestran el presente solo están para él mientras hoy sea uno de estos días. Cuando termina el acceso, terminan sus sesiones y sus tokens.
engage-from = Asientos desde (día, UTC)
engage-until = Asientos hasta (día incluido)
engage-expires = Último día de acceso
engage-topics = Temas
engage-change = Cambiar lo que ve
engage-none = No ve nada: sin encargo
engage-sees = Del { $from } al { $until }: { $topics }. El acceso termina después del { $ends }.
topic-backups = Copias de seguridad y restauraciones
topic-configuration = Configuración
topic-keys = Claves
topic-ledger = El registro mismo
topic-links = Enlaces, máquinas conectadas y mensajes
topic-people = Personas y tokens
topic-records = Qué se hizo con los historiales, sin nombres
topic-devices = Dispositivos, y programas maliciosos encontrados
topic-safeguards = Salvaguardas
topic-status = Estado y hallazgos

# Los tokens de la propia cuenta.
done-engaged = Cambiado. Vale desde su próxima petición.
done-token-ended = El token ha terminado.
token-title = Tokens
token-lead = Con un token un programa usa la API en nombre de usted, y hace solo lo que usted elige aquí. Lo que debe hacerse en persona no lo puede ningún token.
token-none = No tiene ningún token.
token-name = Para qué es
token-name-help = Por ejemplo el programa y la máquina: supervisión en el servidor 2
token-scopes = Qué puede hacer
token-days = Cuántos días dura
token-days-help = De 1 a 366. Elija los menos que basten.
token-created = Creado
token-ends = Termina
token-used = Último uso
token-never = nunca
token-end = Terminar
token-add = Crear un token
token-made = Su token { $name }
token-made-help = Solo se muestra ahora. Póngalo donde el programa guarda sus secretos, y en ningún otro lugar.
token-at = La API está en
permission-status-read = Ver el estado del servidor, sus enlaces y sus hallazgos
permission-config-read = Ver la configuración
permission-key-read = Ver dónde están las claves, nunca una clave
permission-peer-read = Ver las máquinas conectadas
permission-peer-change = Añadir, renovar y revocar máquinas
permission-person-read = Ver las personas y sus funciones
permission-message-list = Listar mensajes, sin lo que contienen
permission-message-show = Ver qué hay en un mensaje: datos de pacientes
permission-message-decide = Liberar o rechazar mensajes retenidos
permission-message-resend = Enviar un mensaje otra vez
permission-record-find = Buscar pacientes
permission-record-show = Ver los historiales de un paciente
permission-record-export = Sacar los historiales de un paciente
permission-record-import = Traer historiales de archivos
permission-hold-change = Poner y levantar retenciones legales
permission-ledger-read = Leer y verificar el registro
permission-ledger-export = Sacar el registro
permission-backup-run = Hacer y probar copias de seguridad
permission-backup-confirm = Dejar seguir la entrega tras una restauración
permission-safeguard-read = Ver las salvaguardas
permission-list-export = Sacar listas como archivos

nav-devices = Dispositivos
list-devices = dispositivos
permission-device-read = Ver los dispositivos
permission-device-change = Cambiar e importar dispositivos
permission-malware-read = Ver qué programas maliciosos se encontraron y qué hay en cuarentena
permission-malware-inspect = Hacer mirar si algo contiene programas maliciosos
permission-malware-write-back = Volver a escribir lo que dos personas devolvieron de la cuarentena
permission-integrity-report = Comunicar el resultado de una comparación de archivos
done-device-added = Añadido.
done-device-changed = Cambiado.
done-device-merged = Unidos.
done-device-removed = Retirado. Lo que se sabía de él se conserva.
done-device-restored = De nuevo presente.
done-device-split = Separados. Cada uno vuelve a ser él mismo.
devices-title = Dispositivos
devices-lead = Analizadores, instrumentos y ordenadores del laboratorio: lo que listas, mensajes y personas dicen de ellos.
devices-import = Importar una lista
devices-conflicts = Necesitan una decisión
devices-conflicts-help = Las fuentes no coinciden, o dos dispositivos dicen ser el mismo. Abra el dispositivo e indique qué es lo correcto, o una los dos.
devices-all = Todos los dispositivos
devices-none = Ningún dispositivo coincide.
devices-find = Buscar por nombre, modelo, número de serie, dirección o cualquier otro dato
devices-find-do = Buscar
devices-count = { $count ->
    [one] { $count } dispositivo
   *[other] { $count } dispositivos
 }
devices-add = Añadir un dispositivo a mano
devices-add-do = Añadir
devices-import-lead = Pegue una lista, mire qué pasaría con cada línea y después incorpórela. Puede ser una hoja de cálculo guardada como CSV o una exportación de Snipe-IT, GLPI, NetBox o nmap.
devices-import-done = Qué pasó con cada línea
devices-import-preview = Qué pasaría
devices-import-added = { $count ->
    [one] { $count } nuevo
   *[other] { $count } nuevos
 }
devices-import-changed = { $count ->
    [one] { $count } dice algo nuevo
   *[other] { $count } dicen algo nuevo
 }
devices-import-known = { $count ->
    [one] { $count } ya conocido
   *[other] { $count } ya conocidos
 }
devices-import-refused = { $count ->
    [one] { $count } rechazado
   *[other] { $count } rechazados
 }
devices-import-apply = Incorporarla
devices-import-rest = Las líneas rechazadas se omiten; el resto se incorpora.
devices-import-list = La lista
devices-import-text = Filas con una cabecera de nombres de columna, o el archivo entero
devices-import-help = Las columnas pueden llamarse en español o en inglés; lo que no se conoce pasa a ser una nota. Una línea necesita un número de serie con su fabricante o modelo, un UDI, una etiqueta de inventario, una dirección MAC, un nombre de host o una dirección IP. Como máximo 1 MiB; no escriba nunca datos de pacientes en una lista de dispositivos.
devices-import-example = nombre,fabricante,modelo,número de serie,versión,mac
device = Dispositivo
device-number = Número
device-numbered = dispositivo { $number }
device-peers = Máquinas conectadas
device-last = Último dato
device-conflicts = Conflictos
device-is-removed = retirado
device-was-removed = Este dispositivo se retiró:
device-known = Lo que se sabe
device-rule = Primero cuenta la palabra de una persona, después lo que el dispositivo dice en sus mensajes y después los archivos; entre iguales, lo más reciente. Lo que dicen las personas zanja lo que otros dijeron hasta entonces.
device-what = Qué
device-counts = Cuenta
device-sources = Quién dice qué
device-disagree = las fuentes no coinciden
device-taken-back = palabra retirada
device-before = antes
device-settle = Esto es lo correcto
device-no-peer = No tiene ninguna máquina conectada vinculada.
device-links = oído en
device-merged = Unidos a él
device-merged-help = Se declararon el mismo dispositivo. Al separarlos, cada uno recupera sus propios valores.
device-split = Separar
device-change = Cambiar
device-change-help = Solo lo que usted cambie será su palabra. Un campo vacío retira su palabra.
device-change-do = Guardar
device-notes-help = No escriba aquí nunca datos de pacientes.
device-bind = Máquinas conectadas que son este dispositivo
device-merge = Unir con otro dispositivo
device-merge-help = Desde entonces listas y mensajes encuentran el dispositivo por las claves de ambos; se puede volver a separar.
device-merge-other = El otro dispositivo, que desde entonces pertenece a este
device-merge-do = Unir
device-remove = Retirar
device-remove-help = Ya no está; lo que se sabía de él se conserva y una lista no lo devuelve.
device-remove-do = Retirar
device-restore = Está de nuevo
device-conflict-values = { $attribute }: las fuentes no coinciden
device-conflict-claim = { $key }: también es del dispositivo { $devices }
device-conflict-seen = se oyó después de retirarlo
device-source-link = { $peer } en el enlace { $link }
device-source-file = { $format } { $file }
device-source-capture = una captura de la red
device-attribute-name = Nombre
device-attribute-category = Categoría
device-attribute-manufacturer = Fabricante
device-attribute-model = Modelo
device-attribute-product = Software
device-attribute-version = Versión
device-attribute-serial = Número de serie
device-attribute-udi = UDI
device-attribute-asset-tag = Etiqueta de inventario
device-attribute-hostname = Nombre de host
device-attribute-mac = Dirección MAC
device-attribute-ip = Dirección IP
device-attribute-os = Sistema operativo
device-attribute-os-build = Compilación del sistema operativo
device-attribute-sender = Cómo se llama en los mensajes
device-attribute-equipment = Instrumento nombrado en los mensajes
device-attribute-criticality = Criticidad
device-attribute-location = Ubicación
device-attribute-owner = Responsable
device-attribute-contact = Contacto del proveedor
device-attribute-support-until = Contrato de soporte hasta
device-attribute-notes = Notas
device-criticality-low = baja: nadie lo nota en un día
device-criticality-normal = normal: el trabajo sigue de otro modo
device-criticality-high = alta: hay pacientes esperando
device-confidence-low = una suposición
device-confidence-medium = probable
device-confidence-high = seguro
device-format-csv = Lista CSV
device-format-snipe-it = Snipe-IT
device-format-glpi = GLPI
device-format-netbox = NetBox
device-format-nmap = nmap
device-key-maker-serial = Fabricante y número de serie
device-key-model-serial = Modelo y número de serie
device-key-udi = UDI
device-key-asset-tag = Etiqueta de inventario
device-key-mac = Dirección MAC
device-line-added = nuevo
device-line-changed = dice algo nuevo
device-line-known = ya conocido
device-fault-ambiguous = coincide con varios dispositivos: únalos o corrija uno
device-fault-bad-value = no es un valor de este tipo
device-fault-no-key = nada por lo que reconocerlo de nuevo
device-fault-not-read = no se puede leer
device-fault-removed = se retiró: restáurelo primero
device-fault-twice = otra línea es del mismo dispositivo
device-state-present = Presentes
device-state-conflict = En conflicto
device-state-removed = Retirados
device-state-all = Todos

# Vulnerabilidades
nav-hits = Vulnerabilidades
list-hits = vulnerabilidades
list-advisories = avisos
list-advisory-sources = fuentes de avisos
list-unusual = lo que hicieron de otro modo los dispositivos
list-hit-statements = declaraciones
done-hits-decided = Decidido y anotado.
done-hit-stated = Anotado, y todos los dispositivos se compararon de nuevo.
done-hit-withdrawn = Retirado, y todos los dispositivos se compararon de nuevo.
home-hits-overdue = { $count } fuera de plazo
home-hits-soon = { $count } vencen pronto
home-hits-button = Verlas
hits-title = Vulnerabilidades
hits-lead = Vulnerabilidades publicadas que conciernen a dispositivos del laboratorio; primero, lo que antes vence.
hits-empty = Aún no hay ningún aviso, así que no se pudo comparar nada con los dispositivos.
hits-empty-help = Pida a la persona de informática que importe lo que dicen los editores, en el servidor:
hits-empty-guide = Cómo obtener los archivos y mantenerlos al día:
hits-stale = Los avisos de { $source } son viejos:
hits-stale-help = Lo publicado desde entonces no está en esta página. Pida a la persona de informática que los importe de nuevo.
hits-matched = { $count ->
    [one] Comparado con { $count } aviso
   *[other] Comparado con { $count } avisos
  }
hits-calendar = Llevar como calendario
hits-calendar-help = Un archivo de lo que vence, para un calendario. Nombra puntos débiles del laboratorio: no lo saque de él.
hits-matrix = Dispositivos y avisos
hits-matrix-lead = Solo dispositivos y avisos con vulnerabilidades abiertas. Cada celda lleva a lo que allí está abierto.
hits-matrix-cut = La tabla termina en 200 dispositivos y 200 avisos; la lista muestra el resto.
hits-matrix-affected = A
hits-filter-open = Abiertas
hits-filter-overdue = Fuera de plazo
hits-filter-due = Vencen pronto o fuera de plazo
hits-filter-untreated = Sin tratar
hits-filter-affected = Afectados
hits-filter-cannot-tell = No se sabe
hits-filter-treated = Tratadas
hits-filter-closed = Cerradas
hits-find = Buscar por dispositivo, aviso o CVE
hits-all-again = Mostrar todo otra vez
hits-count = { $count ->
    [one] { $count } vulnerabilidad coincide
   *[other] { $count } vulnerabilidades coinciden
  }
hits-left-out = { $count ->
    [one] { $count } más no está en esta página: acote la lista.
   *[other] { $count } más no están en esta página: acote la lista.
  }
hits-none = Nada coincide.
hits-nothing-open = No se conoce ninguna vulnerabilidad abierta en los dispositivos de aquí.
hits-tick = Marcar
hits-tick-help = Marque lo que quiera decidir en conjunto y decida abajo.
hits-urgency = Urgencia
hits-due = Vence
hits-verdict = Veredicto
hits-treatment = Qué se hace
hits-vulnerability = Vulnerabilidad
hits-vulnerabilities = { $count ->
    [one] { $count } vulnerabilidad
   *[other] { $count } vulnerabilidades
  }
hits-more = { $count ->
    [one] y { $count } más
   *[other] y { $count } más
  }
hits-late = { $count ->
    [one] { $count } día de retraso
   *[other] { $count } días de retraso
  }
hits-today = vence hoy
hits-left = { $count ->
    [one] queda { $count } día
   *[other] quedan { $count } días
  }
hits-exploited = se sabe que se explota
hits-ransomware = la usan programas de secuestro
hits-placed = vulnerabilidad { $number } del aviso
hits-untreated = nada todavía
hits-not-counting = { $count ->
    [one] { $count } sigue abierta
   *[other] { $count } siguen abiertas
  }
hits-earlier = Página anterior
hits-later = Página siguiente
hits-decide = Decidir sobre lo marcado
hit = Vulnerabilidad
hit-band-critical = Crítica
hit-band-high = Alta
hit-band-medium = Media
hit-band-low = Baja
hit-verdict-affected = Afectado
hit-verdict-cannot-tell = No se sabe
hit-verdict-not-affected = No afectado
hit-state-open = abierta
hit-state-due-soon = vence pronto
hit-state-overdue = fuera de plazo
hit-state-acceptance-expired = aceptación vencida
hit-state-treated = tratada
hit-state-closed = cerrada
hit-closed-retest = Cerrada: la versión del dispositivo ya no está afectada.
hit-closed-statement = Cerrada por la declaración de una persona.
hit-closed-advisory = Cerrada: el aviso ya no lo dice.
hit-closed-device-removed = Cerrada: el dispositivo se retiró.
hit-treatment-patch = Actualización instalada
hit-treatment-control = Contenida por una medida
hit-treatment-accept = Riesgo aceptado
hit-treatment-replace = Dispositivo por sustituir
hit-glance-affected = Este dispositivo está afectado.
hit-glance-cannot-tell = No se sabe si este dispositivo está afectado: una persona tiene que mirarlo. Hasta entonces cuenta como afectado.
hit-glance-closed = Está cerrada: no hay nada que hacer.
hit-due-by = Vence el
hit-counts-not = ahora no cuenta
hit-why-sealed = El motivo está sellado hasta que se abra la clave raíz.
hit-order = Orden de trabajo para imprimir
hit-to-device = Ir al dispositivo
hit-can-be-done = Qué se puede hacer
hit-no-remedy = No se publicó ningún remedio. Pregunte al fabricante si hay una actualización aprobada, separe el dispositivo de la red o planee sustituirlo.
hit-publisher-english = El texto es del propio editor, en inglés.
hit-epss = ataque en 30 días: { $percent } % de probabilidad
hit-decide = Decidir
hit-decide-what = ¿Qué se hace al respecto?
hit-decide-patch = La actualización del fabricante está instalada
hit-decide-control = Algo contiene los ataques, como una red separada
hit-decide-accept = Se acepta el riesgo hasta un día
hit-decide-replace = El dispositivo se sustituye antes de un día
hit-decide-approved = ¿Aprueba el fabricante esta actualización para este dispositivo?
hit-decide-not-asked = Nadie preguntó
hit-decide-no = no
hit-decide-until = Último día
hit-decide-until-help = Como máximo dos años. Después de ese día alguien tiene que decidir de nuevo.
hit-decide-why = Motivo, o qué se hizo
hit-decide-do = Anotar la decisión
hit-way = Cómo se encontró
hit-way-device = El laboratorio llama al dispositivo
hit-way-version = su versión es
hit-way-no-version = No se conoce su versión: anótela en la página del dispositivo.
hit-way-none = Ahora solo la palabra de una persona habla de este dispositivo.
hit-step-product = Producto, como se publicó
hit-step-versions = Versiones, como se publicaron
hit-step-no-versions = no dice nada de versiones
hit-step-status = El editor dice
hit-step-found = Nombre aquí y cómo se compara
hit-step-read = Cómo se leyeron las versiones
hit-step-unread = no se leyeron
hit-more-products = { $count ->
    [one] { $count } producto más
   *[other] { $count } productos más
  }
hit-without = Sin la palabra de nadie sería:
hit-why-urgent = Por qué es así de urgente
hit-statements = Lo que dijeron las personas
hit-statements-lead = Estas palabras de personas cuentan en lugar de lo que diría Labward. Cada una se puede retirar.
hit-statement = Declaración
hit-no-statement = Nadie ha dicho nada al respecto.
hit-said-by = Lo dijo
hit-every-device = todo dispositivo de este nombre
hit-withdraw = Retirar
hit-withdraw-why = ¿Por qué se retira?
hit-withdrawn = retirada
hit-same-title = ¿Es este producto?
hit-same-help = Su respuesta vale para todo dispositivo de este nombre y para todo aviso que nombre el producto. Compare con la etiqueta del dispositivo o pregunte al fabricante.
hit-same-why = Cómo lo sabe
hit-same-yes = Sí, es este producto
hit-same-no = No, es otro
hit-is-it = ¿Es { $device } el producto { $product }?
hit-status-title = ¿Qué sabe usted de este dispositivo?
hit-status-help = Si el fabricante le dijo cómo está este dispositivo, dígalo aquí. Cuenta en lugar de lo que se encontró.
hit-status-why = Cómo lo sabe, por ejemplo la carta del fabricante y su fecha
hit-status-do = Anotarlo
hit-only-version = solo para la versión { $version }
hit-says-affected = Está afectado
hit-says-fixed = Tiene la corrección
hit-says-not-affected = No está afectado
hit-says-same = { $device } es el producto { $product }
hit-says-other = { $device } no es el producto { $product }
hit-references = Dónde hay más
hit-found = Encontrada
hit-opened = abierta de nuevo
hit-order-title = Orden de trabajo
hit-order-print = Imprimir
hit-order-help = No haga nada mientras el dispositivo mida muestras de pacientes. Acuerde una hora y verifique después el dispositivo como piden sus procedimientos.
hit-order-nothing = No hay nada abierto para este dispositivo.
hit-order-left-out = { $count ->
    [one] { $count } más no cupo aquí.
   *[other] { $count } más no cupieron aquí.
  }
hit-order-did = Qué se hizo
hit-order-approved = Aprobado por el fabricante
hit-order-version = Versión después
hit-order-by = Hecho por
hit-order-day = Día
hit-order-signature = Firma
hit-reason-family = El nombre del editor puede ser de toda una familia, a la que este dispositivo puede pertenecer.
hit-reason-member = El editor nombra un miembro de una familia; puede ser otro que este dispositivo.
hit-reason-maybe-abbreviation = Los dos nombres comparten una abreviatura que puede significar varias cosas.
hit-reason-maybe-excluded = El editor deja fuera algunos productos, y este dispositivo puede ser uno de ellos.
hit-reason-maybe-shared-words = Los nombres comparten la mayoría de sus palabras.
hit-reason-maybe-software = Uno es software, y el otro puede ser el instrumento en el que funciona.
hit-reason-maybe-vendor = Los fabricantes se llaman parecido, pero no igual.
hit-reason-no-version = Aquí no se conoce la versión del dispositivo.
hit-reason-other-version = El editor nombra otra versión, que no descarta esta.
hit-reason-no-range = El editor no dice nada de versiones.
hit-reason-contradiction = El editor dice las dos cosas de esta misma versión.
hit-reason-under-investigation = Todavía se investiga.
hit-reason-ambiguous-date = El editor nombra una fecha en la que no se distinguen el día y el mes.
hit-reason-empty = El editor dejó las versiones vacías.
hit-reason-exclusion = El editor deja algo fuera de las versiones con palabras.
hit-reason-grammar = No se puede leer lo que el editor escribió de las versiones.
hit-reason-no-year = El editor nombra un día sin su año.
hit-reason-operand = Lo que el editor escribió de las versiones termina en algo que no es una versión.
hit-reason-says-none = El editor dice que no hay versión.
hit-reason-too-long = Lo que el editor escribió de las versiones es demasiado largo para leerlo.
hit-reason-wildcard = Una x en las versiones del editor puede significar varias cosas.
hit-reason-between-branches = La versión del dispositivo está entre dos líneas de versiones que nombra el editor.
hit-reason-coarser = La versión anotada aquí dice menos que la del editor: anótela completa.
hit-reason-condition = Solo se trata de dispositivos con una condición que la versión no dice.
hit-reason-date = El editor nombra días, no versiones.
hit-reason-finer = La versión del dispositivo dice más que la del editor.
hit-reason-may-be-model = Lo que escribió el editor puede ser un modelo o una versión.
hit-reason-padding = Un número con ceros delante puede ser una fracción.
hit-reason-reading = Lo que escribió el editor puede entenderse de otra manera.
hit-reason-serial = El editor nombra números de serie, no versiones.
hit-reason-speaks-of-models = El editor nombra modelos, no versiones.
hit-reason-no-order = Las dos versiones no se pueden ordenar.
hit-reason-version-unread = La versión anotada aquí no se puede leer, o dice que no se conoce ninguna.
hit-reason-no-release = El catálogo de vulnerabilidades explotadas no nombra versiones de este sistema.
hit-reason-patch-state = Hay una actualización del sistema; aquí no se sabe si el dispositivo la tiene.
hit-reason-role = Solo afecta a dispositivos con cierta función, como controladores de dominio.
hit-reason-past-end-of-life = El sistema ya no tenía soporte cuando se supo que se explotaba.
hit-reason-updated-since = Las actualizaciones del sistema son más recientes y pueden tener la corrección.
hit-reason-version-order = Aquí no se sabe cómo se ordenan estas versiones.
hit-reason-commits = El editor nombra cambios del código fuente, no versiones.
hit-reason-distribution = Aquí no se sabe si la pieza viene de la distribución.
hit-name-same = el mismo nombre
hit-name-device-is-narrower = el nombre de aquí dice más
hit-name-product-is-narrower = el nombre publicado dice más
hit-name-maybe-abbreviation = quizá el mismo: una abreviatura
hit-name-maybe-excluded = quizá excluido por el editor
hit-name-maybe-shared-words = quizá el mismo: la mayoría de las palabras
hit-name-maybe-software = quizá el mismo: software e instrumento
hit-name-maybe-vendor = quizá el mismo: fabricantes de nombre parecido
hit-name-no = otro producto, según dijo una persona
hit-read-all = todas las versiones
hit-read-operator = un límite
hit-read-branch = una lista de límites, uno por línea de versiones
hit-read-listed = exactamente estas versiones
hit-read-paired = de un límite al otro
hit-read-range = de una versión a otra
hit-read-words = un límite en palabras
hit-status-exploited = se sabe que se explota
hit-status-first-affected = afectado desde aquí
hit-status-first-fixed = corregido desde aquí
hit-status-fixed = corregido
hit-status-known-affected = afectado
hit-status-known-not-affected = no afectado
hit-status-last-affected = afectado hasta aquí
hit-status-recommended = recomendado
hit-status-under-investigation = en investigación
remedy-vendor-fix = Actualización del fabricante
remedy-mitigation = Mitigación
remedy-workaround = Solución provisional
remedy-none-available = No hay nada disponible
remedy-no-fix-planned = No se prevé corrección
device-hits-all = Mostrar todas
device-hits-more = { $count ->
    [one] { $count } fila más: mostrar todas
   *[other] { $count } filas más: mostrar todas
  }
advisory = Aviso
advisories-title = Avisos
advisories-lead = Lo que los editores dicen de vulnerabilidades en sus productos, tal como lo tiene el laboratorio.
advisories-sources = De dónde vienen
advisories-source = Fuente
advisories-checked = Consultada
advisories-documents = Documentos
advisories-newest = Publicación más reciente
advisories-refused = No se pudo leer
advisories-stale = vieja: impórtela de nuevo
advisories-never = todavía nunca
advisories-failing = no se pudo consultar:
advisories-waiting = { $count ->
    [one] { $count } más está en la lista y espera
   *[other] { $count } más están en la lista y esperan
  }
advisories-faults = { $count ->
    [one] { $count } no se pudo leer
   *[other] { $count } no se pudieron leer
  }
advisories-key = El editor dice que firma con la clave
advisories-key-trusted = está en signing_keys, así que sus firmas cuentan.
advisories-key-foreign = no está en signing_keys, así que sus firmas no cuentan.
advisories-import = Importar avisos
advisories-import-lead = Incorpore lo que dicen los editores: avisos (CSAF), el catálogo de vulnerabilidades explotadas (KEV), probabilidades de ataques (EPSS), respuestas de los fabricantes (VEX), vulnerabilidades de componentes (OSV), sueltos o en archivos comprimidos.
advisories-import-help = Uno o varios archivos: un documento con su .sha512 y su .asc, o un archivo zip, tar, gzip, xz o zstd con ellos. En total, 256 MiB como máximo.
advisories-import-files = Los archivos
advisories-import-choose = Elija archivos
advisories-import-source-help = De dónde vienen, tal como la lista de fuentes lo muestra con su antigüedad: letras, cifras, guiones y puntos.
advisories-import-look = Solo mirar qué sería de ellos
advisories-import-do = Enviar
advisories-import-more = Los archivos mayores se importan en el servidor con labward advisory import; carpetas y servidores espejo se leen por sí solos:
advisories-import-done = Qué fue de ellos
advisories-import-file = Archivo
advisories-import-added = { $count ->
    [one] { $count } añadido
   *[other] { $count } añadidos
  }
advisories-import-updated = { $count ->
    [one] { $count } actualizado
   *[other] { $count } actualizados
  }
advisories-import-known = { $count ->
    [one] { $count } ya conocido
   *[other] { $count } ya conocidos
  }
advisories-import-older = { $count ->
    [one] { $count } anterior al que hay
   *[other] { $count } anteriores a los que hay
  }
advisories-import-refused = { $count ->
    [one] { $count } rechazado
   *[other] { $count } rechazados
  }
advisories-import-others = { $count ->
    [one] { $count } de otra clase
   *[other] { $count } de otras clases
  }
advisories-import-opened = { $count ->
    [one] { $count } vulnerabilidad abierta
   *[other] { $count } vulnerabilidades abiertas
  }
advisories-import-closed = { $count ->
    [one] { $count } cerrada
   *[other] { $count } cerradas
  }
advisories-line-refused = rechazado
advisories-line-older = hay una publicación posterior
advisories-line-other = de otra clase, no se guarda
advisories-all = Todos los avisos
advisories-every = Todos
advisories-hit = Solo los que nos afectan
advisories-find = Buscar por título, editor, producto o CVE
advisories-count = { $count ->
    [one] { $count } aviso coincide
   *[other] { $count } avisos coinciden
  }
advisories-none = Ningún aviso coincide.
advisories-us = Nuestros dispositivos
advisories-no = ninguno afectado
advisories-says = Qué dice
advisories-released = Publicado
advisory-kind-csaf = aviso de seguridad (CSAF)
advisory-kind-kev = catálogo de vulnerabilidades explotadas
advisory-kind-epss = probabilidades de ataque
advisory-kind-cyclonedx = declaraciones VEX (CycloneDX)
advisory-kind-openvex = declaraciones VEX (OpenVEX)
advisory-kind-osv = vulnerabilidades de paquetes (OSV)
advisory-affected = { $count ->
    [one] { $count } dispositivo afectado
   *[other] { $count } dispositivos afectados
  }
advisory-cannot-tell = { $count ->
    [one] { $count } dispositivo por mirar
   *[other] { $count } dispositivos por mirar
  }
advisory-exploited = { $count ->
    [one] { $count } que se sabe que se explota
   *[other] { $count } que se sabe que se explotan
  }
advisory-release = versión
advisory-are-we-hit = ¿Nos afecta?
advisory-not-hit = No hay nada abierto.
advisory-not-named = No nombra ningún dispositivo del laboratorio.
advisory-not-affected = Nombrados, pero no afectados:
advisory-look = Ver qué significa para los dispositivos de aquí
advisory-closed = { $count ->
    [one] { $count } dispositivo estuvo afectado y está cerrado
   *[other] { $count } dispositivos estuvieron afectados y están cerrados
  }
advisory-product = Producto
advisory-vulnerabilities = Vulnerabilidades
advisory-severity = Gravedad
advisory-attacks = Ataques
advisory-no-attack = ninguno conocido por el catálogo de CISA
advisory-products = Productos, como se publicaron
advisory-notes = Lo que escribe el editor
advisory-origin = De dónde viene este documento
advisory-imported = Incorporado
advisory-hash-good = Se comprobó una suma junto a él y es correcta.
advisory-hash-none = No había ninguna suma junto a él que comprobar.
advisory-signature = Firma
advisory-signed = Comprobada y correcta, de la clave
advisory-unsigned = No se comprobó ninguna.

network-title = Quién habla con quién
network-lead = Con quién se ha oído hablar a cada dispositivo, según dónde está. Labward nunca ve aquí lo que se dice.
network-none = Aún no se ha oído tráfico. Escuche donde pasa el tráfico de los dispositivos, y dé a cada uno su dirección IP:
network-alerts = Lo que nadie esperaba
network-novelty-destination = Nunca antes habló con esa dirección.
network-novelty-service = Nunca antes pidió esto a esa dirección.
network-novelty-public = Esa dirección es de la internet pública, y nadie la aprobó.
network-novelty-refused = Alguien rechazó esta conversación, y sin embargo ocurre.
network-public = internet pública
network-entry = asiento
network-why = ¿Qué averiguó?
network-refuse = No debería
network-approve = Puede hacerlo
network-no-zone = Sin lugar indicado
network-mode-off = Sin reglas
network-mode-test = Las reglas cuentan lo que detendrían
network-mode-enforce = Las reglas detienen lo que no está aprobado
network-learning = aún aprende
network-guarded = reglas medidas en vigor
network-direction-inbound = recibe peticiones de
network-direction-outbound = pide a
network-decision-approved = aprobado
network-decision-learned = nadie decidió
network-decision-refused = rechazado
network-more = { $count ->
    [one] y { $count } más
   *[other] y { $count } más
  }
network-silent = No se ha oído nada de él.
network-rules = Las reglas las carga labward segment en la máquina que reenvía entre las redes, nunca esta página.
done-conduit-decided = La decisión quedó anotada.
done-behaviour-answered = Quedó anotado lo que dijo.
behaviour-title = Lo que hace normalmente
behaviour-learning = Aún se aprende, así que nada se indica como inusual: día
behaviour-active = Días con mensajes hasta ahora:
behaviour-hours = Normalmente envía entre
behaviour-most = Máximo de mensajes en una hora
behaviour-types = Tipos de mensaje
behaviour-tests = Pruebas
behaviour-clock = Su reloj va por delante del nuestro
behaviour-overfull = Envía más tipos o pruebas de los que se recuerdan, así que los nuevos no se indican.
behaviour-last = Último mensaje:
behaviour-all = Lo que hizo de otro modo
unusual-title = Lo que hicieron de otro modo los dispositivos
unusual-lead = Lo que un dispositivo hizo en su línea y no suele hacer. Todos esos mensajes se aceptaron y se entregaron igualmente.
unusual-none = Nada de este tipo.
unusual-show-open = Abiertas
unusual-show-closed = Cerradas
unusual-show-all = Todas
unusual-state-open = abierta
unusual-state-expected = esperado
unusual-state-unexpected = no esperado
unusual-state-ended = terminó por sí sola
unusual-kind-clock-off = reloj desviado
unusual-kind-new-message-type = tipo de mensaje nuevo
unusual-kind-new-test = prueba nueva
unusual-kind-sequence-back = los números retrocedieron
unusual-kind-sequence-gap = faltan números
unusual-kind-silent = en silencio
unusual-kind-too-many = mucho más de lo normal
unusual-kind-unusual-hour = hora inusual
unusual-more = { $count ->
    [one] uno más
   *[other] { $count } más
}
unusual-again = { $count ->
    [one] visto una vez más
   *[other] visto { $count } veces más
}
unusual-dropped = { $count ->
    [one] Un mensaje aceptado no se pudo mirar, porque llegaron demasiados a la vez. Se entregó, y por ello nada se indica como ausente.
   *[other] { $count } mensajes aceptados no se pudieron mirar, porque llegaron demasiados a la vez. Se entregaron, y por ello nada se indica como ausente.
}
unusual-raised = Indicado
unusual-expected = Esperado: es normal desde ahora
unusual-unexpected = No esperado
unusual-rules = Una alerta se cierra sola cuando el dispositivo vuelve a enviar, su reloj vuelve a ir bien o ha hecho lo mismo en suficientes días.

# Lo que declaran los fabricantes
list-components = componentes
list-patch-approvals = parches aprobados
done-device-attached = Adjuntado. Lo que dice ya se sabe del dispositivo.
done-device-detached = Retirado. Lo que decía ya no cuenta.
done-patch-stated = Anotado.
done-patch-withdrawn = Retirado y anotado.
device-attribute-anti-malware = Programas contra software malicioso
device-attribute-patching = Quién actualiza el sistema operativo
device-format-mds2 = Declaración del fabricante (MDS2)
device-parts = De qué está hecho
device-no-sbom = No hay ninguna lista de materiales (SBOM) adjunta, así que no se buscan vulnerabilidades en sus componentes de software. Pídala al fabricante en CycloneDX o SPDX.
device-no-mds2 = No hay ninguna declaración del fabricante (MDS2) adjunta.
device-no-approval = No se sabe qué parches aprueba o rechaza su proveedor.
components-title = Componentes de software
components-lead = De qué están hechos los dispositivos, según sus listas de materiales. Un componente sin URL de paquete no se puede comparar con vulnerabilidades.
components-find = Nombre, versión, proveedor o URL de paquete
components-count = { $count ->
    [one] { $count } componente
   *[other] { $count } componentes
  }
components-matched = { $count ->
    [one] { $count } de ellos se compara con vulnerabilidades
   *[other] { $count } de ellos se comparan con vulnerabilidades
  }
components-flaws = { $count ->
    [one] { $count } lugar del archivo no se pudo leer
   *[other] { $count } lugares del archivo no se pudieron leer
  }
components-devices = { $count ->
    [one] { $count } dispositivo con lista de materiales
   *[other] { $count } dispositivos con lista de materiales
  }
components-everywhere = Buscar en todos los dispositivos
components-none = Ningún componente coincide.
components-before = Componentes anteriores
components-after = Más componentes
component = Componente
component-version = Versión
component-supplier = Proveedor
component-unmatched = No se puede comparar
component-no-hit = Ninguna conocida
attached-device = Adjunto a este dispositivo
attached-model = Adjunto a todo { $model }
attach-sbom = Adjuntar una lista de materiales
attach-mds2 = Adjuntar una declaración del fabricante
attach-help-sbom = CycloneDX o SPDX 2 en JSON. Sustituye a una anterior, y los componentes se comparan enseguida con las vulnerabilidades conocidas.
attach-help-mds2 = El libro (.xlsx) del formulario de 2019 tal como lo rellenó el fabricante. Sustituye a uno anterior.
attach-file = Archivo
attach-model = Es de todo dispositivo de este fabricante y modelo en esta versión
attach-do = Adjuntar
detach-why-sbom = ¿Por qué se retira la lista de materiales?
detach-why-mds2 = ¿Por qué se retira la declaración?
detach-do = Retirar
mds2-title = Declaración del fabricante (MDS2)
mds2-show = Ver la declaración
mds2-lead = Lo que el fabricante dice de la seguridad del dispositivo. Nada de ello se midió aquí.
mds2-means = Qué significa para el laboratorio
mds2-says = El fabricante dice
mds2-note = Nota
mds2-sections = Todas las respuestas por sección
mds2-question = Pregunta
mds2-answer = Respuesta
mds2-unanswered = Sin respuesta
mds2-answers = { $count ->
    [one] { $count } pregunta respondida
   *[other] { $count } preguntas respondidas
  }
mds2-missing = { $count ->
    [one] En el libro falta { $count } pregunta del formulario.
   *[other] En el libro faltan { $count } preguntas del formulario.
  }
mds2-disclosed-yes = Sí
mds2-disclosed-no = No
mds2-disclosed-not-applicable = No corresponde
mds2-disclosed-unclear = Lo debe leer una persona
mds2-disclosed-unanswered = Sin respuesta
mds2-capability-patient-data = Muestra, guarda o envía datos de pacientes: manténgalo en una zona que no esté abierta a todos
mds2-capability-patient-data-kept = Guarda datos de pacientes él mismo: bórrelos antes de que salga del laboratorio
mds2-capability-encryption-at-rest = Los datos guardados se pueden cifrar; si no, vigile el dispositivo y sus soportes
mds2-capability-encryption-in-transit = Los datos se cifran antes de enviarlos; si no, envíelos por el borde de Labward
mds2-capability-tls = Admite TLS
mds2-capability-node-authentication = Reconoce los sistemas con los que habla; si no, que la red permita solo esos
mds2-capability-wireless = Tiene conexiones inalámbricas: apague las que no se usan
mds2-capability-remote-service = Admite conexiones de servicio remoto: permítalas solo mientras hagan falta
mds2-capability-anti-malware = Admite programas contra software malicioso; si no, manténgalo aparte en la red
mds2-capability-anti-malware-by-owner = El laboratorio puede instalar o actualizar ese programa
mds2-capability-allowed-software-only = Solo se ejecutan en él programas aprobados
mds2-capability-os-updates-by-owner = El laboratorio tiene instrucciones para actualizar el sistema operativo
mds2-capability-os-updates-by-vendor-only = Las actualizaciones del sistema operativo requieren el servicio del fabricante: planifique visitas
mds2-capability-os-updates-without-approval = Las actualizaciones del sistema operativo no requieren aprobación del fabricante
mds2-capability-update-notices = El fabricante avisa de qué actualizaciones están aprobadas
mds2-capability-vulnerability-reports = El fabricante recibe avisos de vulnerabilidades
mds2-capability-sbom = Hay una lista de su software: pídala y adjúntela
mds2-capability-authentication = Las personas deben identificarse
mds2-capability-unique-accounts = Cada persona tiene su propia cuenta
mds2-capability-multi-factor = Se puede pedir más que una contraseña
mds2-capability-automatic-logoff = Cierra la sesión o se bloquea cuando nadie trabaja
mds2-capability-audit-log = Registra quién hizo qué
mds2-capability-audit-log-export = El registro se puede exportar
mds2-capability-emergency-access = Hay un acceso para emergencias
mds2-section-doc = El dispositivo y sus documentos
mds2-section-mpii = Datos personales
mds2-section-alof = Cierre de sesión automático
mds2-section-audt = Auditoría
mds2-section-auth = Autorización
mds2-section-csup = Actualizaciones de seguridad
mds2-section-didt = Anonimización
mds2-section-dtbk = Copias y recuperación
mds2-section-emrg = Acceso de emergencia
mds2-section-igau = Integridad de los datos
mds2-section-mldp = Software malicioso
mds2-section-naut = Autenticación de nodos
mds2-section-conn = Conectividad
mds2-section-paut = Autenticación de personas
mds2-section-plok = Cierres físicos
mds2-section-rdmp = Soporte de componentes de terceros
mds2-section-sbom = Lista de materiales
mds2-section-sahd = Refuerzo
mds2-section-sgud = Orientación
mds2-section-stcf = Confidencialidad de los datos guardados
mds2-section-txcf = Confidencialidad de los datos enviados
mds2-section-txig = Integridad de los datos enviados
mds2-section-rmot = Servicio remoto
mds2-section-othr = Otros
approvals-title = Parches que aprueban los proveedores
approvals-lead = Los proveedores dicen para cada modelo qué parches se pueden poner. Anote aquí lo que dicen; quien trata una vulnerabilidad con un parche lo ve, y se toma de aquí.
approvals-all = Todas las aprobaciones
approvals-none = Todavía no se sabe nada.
approvals-taken = Un tratamiento con un parche nombrado aquí toma lo que dice el proveedor, si la persona no dice otra cosa.
approval-approved = Aprobado
approval-rejected = No se debe poner
approval-pending = Aún no lo dice
approval-patch = Parche
approval-patch-help = Una versión, el número de una actualización como KB5034441, un CVE, o palabras
approval-model = Modelo
approval-says = El proveedor dice
approval-known = Se sabe por
approval-new = Anotar lo que dice un proveedor
approval-version = Solo para esta versión del software
approval-document = Dónde lo dice el proveedor
approval-why = Cómo se sabe
approval-do = Anotarlo
hit-published = Lo que responden los editores (VEX)
hit-published-counts = Aquí decide la palabra del fabricante.
hit-published-maker = La palabra del fabricante, que aquí no decide.
hit-published-other = No es el fabricante de este dispositivo: se muestra, y no cierra nada.
hit-status-component = componente vulnerable del dispositivo
hit-closed-sbom = Cerrada: la lista de materiales del dispositivo ya no lo contiene.
hit-closed-vex = Cerrada por el documento VEX del fabricante.
vex-status-affected = Afectado
vex-status-fixed = Corregido
vex-status-not-affected = No afectado
vex-status-under-investigation = En investigación
vex-why-component-not-present = el componente no está en el dispositivo
vex-why-inline-mitigations-already-exist = algo en el dispositivo impide que se explote
vex-why-vulnerable-code-cannot-be-controlled-by-adversary = un atacante no puede controlar el código
vex-why-vulnerable-code-not-in-execute-path = el código nunca se ejecuta
vex-why-vulnerable-code-not-present = el código no está en el dispositivo
mail-subject-nothing = no vence nada
mail-count-overdue = { $count ->
    [one] { $count } vencida
   *[other] { $count } vencidas
  }
mail-count-soon = { $count ->
    [one] { $count } vence pronto
   *[other] { $count } vencen pronto
  }
mail-count-new = { $count ->
    [one] { $count } nueva
   *[other] { $count } nuevas
  }
mail-count-findings = { $count ->
    [one] { $count } hallazgo
   *[other] { $count } hallazgos
  }
mail-count-cleared = { $count ->
    [one] { $count } hallazgo resuelto
   *[other] { $count } hallazgos resueltos
  }
mail-count-alerts = { $count ->
    [one] { $count } alerta
   *[other] { $count } alertas
  }
mail-lead = Lo que necesita a alguien en { $lab }, a { $time }.
mail-nothing = No vence nada en { $lab }, a { $time }. Labward ha mirado, y lo dice porque desde hace siete días no le llegó ningún otro correo.
mail-overdue = Vencido
mail-soon = Vence en { $days } días o menos
mail-new = Recién encontrado, con más tiempo
mail-alerts = Dispositivos que hablan con alguien, o de un modo, que nadie esperaba
mail-raised = Recién encontrado por labward check
mail-standing = Sigue mal, y hace mucho daño
mail-cleared = Ya no está mal
mail-others = { $count ->
    [one] Otro hallazgo sigue igual.
   *[other] Otros { $count } hallazgos siguen igual.
  }
mail-work = { $device }: { $vulnerability } ({ $advisory }); { $band }, { $decision }
mail-decision-defer = se puede aplazar
mail-decision-scheduled = en el próximo mantenimiento
mail-decision-out-of-cycle = en la próxima ocasión
mail-decision-immediate = de inmediato
mail-due = vence el { $day }, { $left }
mail-late = { $count ->
    [one] { $count } día de retraso
   *[other] { $count } días de retraso
  }
mail-today = hoy
mail-left = { $count ->
    [one] queda { $count } día
   *[other] quedan { $count } días
  }
mail-more = y { $count } más
mail-look = Véalo: { $url }
mail-look-here = Véalo con labward hit list y labward check.
mail-foot = Labward envía esto a { $name } de su configuración una vez al día como mucho. No contiene nada sobre pacientes. Nadie lee las respuestas.
mail-test-subject = prueba de los recordatorios
mail-test = Este es un correo de prueba de Labward en { $lab }, que alguien pidió. Los recordatorios para { $name } van a esta dirección.

# Programas maliciosos: lo que se encontró, la cuarentena y las reglas
nav-malware = Malware
malware-title = Programas maliciosos
malware-lead = Lo que llegó y es dañino, puede serlo o no se pudo mirar. Ningún resultado se pierde: lo que se retiró está sellado en la cuarentena.
malware-show-open = Por atender
malware-show-closed = Cerradas
malware-show-all = Todas
malware-nothing-open = Nada espera a nadie.
malware-none = Nada de este tipo.
malware-detection = Detección { $count }
malware-verdict-malicious = Un programa malicioso
malware-verdict-suspicious = Algo que puede ser un programa malicioso
malware-verdict-unscannable = Algo en lo que no se pudo mirar
malware-verdict-scanner-error = Algo que nadie pudo mirar
malware-where-message = en un mensaje de { $from }, por el enlace { $place }
malware-where-import = en un archivo que alguien trajo a Labward ({ $place })
malware-where-folder = en un archivo de la carpeta { $place } en { $from }
malware-where-mail = en un correo ({ $place })
malware-where-device = en un archivo del disco de { $place }
malware-treatment-replaced = Se retiró. El resto del mensaje se entregó, con una nota en su lugar.
malware-treatment-held = El mensaje espera y no se entregó.
malware-treatment-refused = No se dejó entrar.
malware-treatment-sealed = Una copia está sellada en cuarentena.
malware-treatment-removed = Se quitó de donde estaba y se puso en cuarentena.
malware-treatment-blocked = Sigue donde estaba, y nadie puede abrirlo.
malware-treatment-passed = Se dejó pasar. No se quitó nada.
malware-removal-awaited = La máquina todavía no dijo que quitó el archivo.
malware-removal-removed = El archivo se quitó de donde estaba.
malware-removal-not-removed = El archivo sigue ahí. No se pudo quitar: { $why }. La máquina lo intenta de nuevo por sí sola.
malware-removal-gone = El archivo ya no está donde estaba. No se sabe quién lo quitó.
malware-why-still-written = un programa lo tiene abierto para escribir
malware-why-changed = se cambió después de copiarlo
malware-why-not-there = mientras tanto alguien lo movió o le cambió el nombre
malware-why-displaced = mientras tanto otro archivo tomó su nombre
malware-why-read-only = el disco solo se puede leer
malware-why-denied = el sistema no lo permite
malware-why-disk-full = el disco está lleno
malware-why-refused = el sistema lo rechazó
malware-why-folder-gone = la carpeta en la que estaba no está
malware-why-broken-off = la conexión con el servidor se cortó
malware-why-other-bytes = lo que llegó no es lo que se tomó
malware-why-name-taken = todos los nombres que podría tener están ocupados
malware-why-outside = estaba fuera de la carpeta que se vigila
malware-do-await = Si sigue así unos minutos, informática mira si la vigilancia funciona en esa máquina.
malware-do-remove = Vaya a la máquina y libere el archivo, o quítelo usted. El elemento en cuarentena dice dónde está.
malware-do-tell = Avise a quien lo envió y después cierre esto.
malware-do-held = Decida sobre el mensaje: entréguelo o rechácelo.
malware-do-passed = Llame ahora a quien lo recibió: no debe abrirlo.
malware-do-look = Pregunte a quien lo envió qué es y después cierre esto.
malware-do-unscanned = Se mira de nuevo por sí solo. Si continúa, informática revisa el examinador.
malware-do-closed = No hay nada más que hacer.
malware-late = encontrado al mirarlo de nuevo
malware-late-help = Se recibió antes de que las reglas lo conocieran, y se encontró al mirar todo de nuevo.
malware-more = { $count ->
    [one] y uno más
   *[other] y { $count } más
}
malware-found-at = Encontrado
malware-to-message = El mensaje
malware-to-item = Lo que está en cuarentena
malware-close = Cerrar esto
malware-close-why = Qué se hizo, o por qué no es malicioso
malware-close-as-handled = Era dañino y está atendido
malware-close-as-false-alarm = Es una falsa alarma
malware-closing-handled = atendido
malware-closing-false-alarm = falsa alarma
malware-closed-by = Cerrado por { $by }: { $how }.
malware-what = Qué se encontró
malware-nothing-named = Ninguna señal de algo concreto.
malware-path = Dónde:
malware-path-whole = en el conjunto
malware-path-field = segmento { $segment } { $number }, campo { $field }
malware-path-file = archivo { $number }
malware-path-file-ending = archivo { $number } (.{ $ending })
malware-for-expert = Para un experto
malware-engine = Encontrado por
malware-severity-low = conviene saberlo
malware-severity-medium = inusual
malware-severity-high = rara vez inofensivo
malware-severity-critical = conocido como dañino
malware-kind-structure = por cómo está hecho
malware-kind-rule = por una regla
malware-kind-signature = por otro examinador
malware-kind-approved-rule = por una regla aprobada
malware-kind-hash = en una lista de programas maliciosos
malware-kind-eicar = el archivo de prueba inofensivo
malware-received = Quién lo recibió
malware-received-nobody = Nadie.
malware-received-original = lo recibió tal como era
malware-received-notice = recibió el mensaje con una nota en su lugar
malware-alike = Qué más llegó por la misma vía
malware-alike-none = Allí no se encontró nada más.
malware-bytes = { $count ->
    [one] un byte
   *[other] { $count } bytes
}
malware-rules-hash = Mirado con las reglas
malware-status-ready = Se mira todo lo que entra por los enlaces de abajo.
malware-status-off = No se mira nada: el examinador está apagado en la configuración.
malware-status-failing = Ahora no se puede mirar nada: el examinador falla. Los mensajes siguen según diga cada enlace y se miran después.
malware-status-unknown = Aquí no se puede decir cómo está el examinador.
malware-status-uncovered = { $count ->
    [one] En un enlace no se miran los mensajes.
   *[other] En { $count } enlaces no se miran los mensajes.
}
malware-status-more = Más sobre el examinador
malware-looked-clean = Mirado y limpio desde el inicio
malware-looked-suspicious = Puede ser un programa malicioso
malware-looked-malicious = Programa malicioso
malware-looked-unscannable = No se pudo mirar dentro
malware-looked-scanner-error = Nadie pudo mirar
malware-rescan-ended = Mirado de nuevo con las reglas actuales, hasta
malware-rescan-runs = Se mira de nuevo con las reglas actuales, desde
malware-rescan-scanned = { $count ->
    [one] un registro
   *[other] { $count } registros
}
malware-rescan-late = { $count ->
    [one] uno encontrado tarde
   *[other] { $count } encontrados tarde
}
malware-rescan-failed = { $count ->
    [one] uno no se pudo mirar
   *[other] { $count } no se pudieron mirar
}
malware-confined = Quien mira está confinado por
malware-rules-title = Reglas contra programas maliciosos
malware-rules-lead = Con estas reglas y listas se encuentran los programas maliciosos. Labward trae unas pocas propias; las demás las trae usted, bajo sus licencias.
malware-rules-none = No hay ninguna.
malware-rules-retired = Conjuntos retirados
malware-rules-bring = Traer reglas o una lista
malware-rules-bring-help = Lo que no se puede usar se nombra, y lo demás se usa. Después se mira de nuevo lo recibido antes.
malware-rules-bring-do = Traerlo
malware-set = Conjunto
malware-set-kind-yara = Reglas YARA
malware-set-kind-hashes = Hashes de programas maliciosos
malware-set-kind-allow = Hashes de archivos que se saben buenos
malware-set-licence = Licencia
malware-set-author = Autor
malware-set-source = De dónde viene
malware-set-published = Publicado el
malware-set-age = Publicado
malware-set-imported = traído
malware-set-loaded = En uso
malware-set-counts = Lo que encuentra
malware-counts-malicious = es malicioso, y se retira
malware-counts-suspicious = puede ser malicioso; una persona lo mira
malware-counts-allow = se sabe bueno
malware-set-refused = { $count ->
    [one] una regla no se tomó
   *[other] { $count } reglas no se tomaron
}
malware-set-refused-more = { $count ->
    [one] y una más
   *[other] y { $count } más
}
malware-set-decide = Decidir
malware-set-approve = Lo que encuentra es malicioso
malware-set-disapprove = Una persona mira lo que encuentra
malware-set-retire = Retirar el conjunto
malware-set-holds = Qué contiene
malware-set-file = Archivo
malware-set-file-help = Un archivo de reglas o de hashes, o un zip o tar de reglas; como máximo 256 MiB.
malware-set-name = Nombre
quarantine-title = Cuarentena
quarantine-lead = Lo que se retiró, sellado para que nadie ni nada pueda iniciarlo. Dos personas juntas pueden hacer que se devuelva.
quarantine-item = Elemento { $count } en cuarentena
quarantine-show-held = En cuarentena
quarantine-show-asked = Pedidos
quarantine-show-approved = Se pueden devolver
quarantine-show-all = Todos
quarantine-none = Nada de este tipo.
quarantine-what = Qué
quarantine-from = Dónde se encontró
quarantine-since = En cuarentena desde
quarantine-back = Devolución
quarantine-back-nobody = nadie lo pidió
quarantine-state-held = Sellado en cuarentena
quarantine-state-expired = Destruido, porque pasó su tiempo
quarantine-state-wished = Destruido, porque una persona lo quiso
quarantine-state-disposed = Destruido con los registros de su paciente
quarantine-restore-asked = { $asked } pide que se devuelva.
quarantine-restore-approved = { $asked } pidió que se devuelva, y { $decided } estuvo de acuerdo.
quarantine-restore-refused = { $asked } pidió que se devuelva, y { $decided } se negó.
quarantine-restore-done = Se devolvió: { $asked } lo pidió, y { $decided } estuvo de acuerdo.
quarantine-failed = No se pudo volver a escribir: { $why }. La máquina lo intenta de nuevo por sí sola.
quarantine-came = Encontrado
quarantine-until = Se destruye el
quarantine-was = Eso fue el
quarantine-names = Nombres y rutas
quarantine-name = Se llama
quarantine-machine = En la máquina
quarantine-path = Ruta
quarantine-sender = Remitente
quarantine-recipient = Destinatario
quarantine-give-back = Devolverlo
quarantine-two = Una persona lo pide y otra está de acuerdo. Se devuelve exactamente como era.
quarantine-ask = Pedirlo
quarantine-ask-why = Por qué hace falta y por qué es inofensivo
quarantine-ask-do = Pedirlo
quarantine-wait = Usted lo pidió, así que otra persona tiene que estar de acuerdo.
quarantine-decide-why = Por qué está de acuerdo o se niega
quarantine-approve = Estar de acuerdo
quarantine-refuse = Negarse
quarantine-ask-delivery = Es una falsa alarma: que se entregue el mensaje
quarantine-delivery-help = En cuanto otra persona lo apruebe, el mensaje va adonde habría ido y su detección se cierra como falsa alarma. Quien lo recibió con un aviso lo recibe otra vez, entero.
quarantine-delivery-why = Por qué se necesita y por qué es inofensivo
quarantine-allow = Permitir desde entonces lo que se encontró en él, en todo mensaje y archivo
quarantine-delivery-do = Pedir que se entregue
quarantine-ask-file = Pedirlo como archivo
quarantine-as-delivery = Se pidió que el mensaje vaya adonde habría ido.
quarantine-and-allow = Lo que se encontró en él queda permitido desde entonces.
quarantine-not-delivered = Dos personas lo aprobaron y el mensaje aún no se entregó.
quarantine-deliver = Entregarlo ahora
quarantine-delivered = El mensaje se entregó tal como llegó.
quarantine-to-delivered = Ver adónde fue
quarantine-written-back = La máquina de la que se quitó lo vuelve a escribir por sí sola.
quarantine-danger = No lo abra. Es lo que se encontró, exactamente como llegó.
quarantine-download = Descargarlo
quarantine-may-not-take = Puede contener lo que está en el registro de un paciente. Solo quien puede sacar registros puede descargarlo.
quarantine-else = Qué más se puede hacer
quarantine-show-names = Mostrar nombres y rutas
quarantine-show-names-help = Pueden nombrar a un paciente. Se anota que usted miró, y por qué.
quarantine-submit = Entregarlo a un experto
quarantine-submit-help = Recibe un archivo que solo el experto puede abrir. Envíelo como quiera.
quarantine-recipient-key = La clave pública del experto (age)
quarantine-submit-why = Quién es el experto y por qué
quarantine-submit-do = Obtener el archivo para el experto
quarantine-destroy = Destruirlo
quarantine-destroy-help = Desaparece para siempre, con la clave con la que se selló.
quarantine-destroy-do = Destruirlo para siempre
done-malware-closed = Está cerrado.
done-quarantine-asked = Usted lo pidió. Otra persona tiene que estar de acuerdo.
done-quarantine-approved = Usted estuvo de acuerdo. Se puede devolver.
done-quarantine-delivered = El mensaje va adonde habría ido.
done-quarantine-refused = Usted se negó. Sigue en cuarentena.
done-quarantine-destroyed = Se destruyó.
done-rules-imported = El conjunto está en uso.
done-rules-decided = El conjunto cambió.
list-detections = detecciones
list-quarantine = cuarentena
list-malware-rules = reglas contra programas maliciosos
integrity-title = Archivos de los ordenadores
integrity-lead = Qué no está como antes entre los archivos de analizadores y carpetas compartidas desde que se hizo su línea base.
integrity-none = Todavía no hay ninguna línea base. Haga una con labward integrity baseline.
integrity-name = Línea base
integrity-files = Archivos
integrity-compared = Comparada
integrity-never = nunca
integrity-since = Esta línea base se usa desde
integrity-otherwise = Distintos
integrity-of = { $count ->
    [one] Había { $count } archivo.
   *[other] Había { $count } archivos.
 }
integrity-which = Qué archivos son lo dice labward integrity compare, donde está el disco. Al servidor nunca se le comunican sus nombres, porque un nombre puede ser el de un paciente.
integrity-nothing = Nada es distinto.
integrity-added = { $count } nuevos
integrity-changed = { $count } con otro contenido
integrity-moved = { $count } en otro lugar
integrity-removed = { $count } ya no están
integrity-rights = { $count } con otro dueño u otros permisos
integrity-unread = { $count } no se pudieron leer
integrity-updates = { $count } de ellos parecen una actualización: del mismo firmante, más nuevos, y no se encontró nada en ellos
integrity-times = { $count ->
    [one] { $count } archivo
   *[other] { $count } archivos
 }
integrity-state-open = Espera una decisión
integrity-state-uncompared = Todavía no comparada
integrity-state-unchanged = Como en su línea base
integrity-state-update = Lo explica una actualización
integrity-state-expected = Como debe estar
integrity-state-unexpected = No como debe estar
integrity-state-malware = Programa malicioso
integrity-do-open = Averigüe por qué, con quien mantiene esta máquina, y dígalo aquí.
integrity-do-uncompared = Compárela con labward integrity compare.
integrity-do-unchanged = No hay nada que hacer.
integrity-do-update = No hay nada más que hacer. Haga una línea base nueva, para que la próxima comparación empiece aquí.
integrity-do-expected = No hay nada más que hacer. Haga una línea base nueva, para que la próxima comparación empiece aquí.
integrity-do-unexpected = Corríjalo con quien mantiene esta máquina, y compare de nuevo.
integrity-do-malware = Desconecte la máquina de la red si los pacientes pueden esperar, llame a quien la mantiene y haga examinar su disco.
integrity-decide = ¿Qué es?
integrity-decide-update = Lo explica una actualización
integrity-decide-expected = Está como debe estar
integrity-decide-unexpected = No está como debe estar
integrity-decide-malware = Es un programa malicioso
integrity-alarms = Lo que llama la atención
integrity-alarm-baseline-replaced = Comparada con otra línea base que la comunicada aquí
integrity-alarm-changed-unseen = Cambiado, pero con el mismo tamaño y la misma hora: alguien puede haber cambiado la hora
integrity-alarm-malware = Programa malicioso, o que puede serlo
integrity-alarm-many-changes = Cambios sin explicar en las carpetas del sistema, y muchos
integrity-alarm-not-scanned = No se pudo mirar dentro
integrity-alarm-older-version = Una versión más antigua que antes
integrity-alarm-signature-lost = Ya no está firmado
integrity-alarm-signature-unread = La firma no se puede leer
integrity-alarm-signature-wrong = La firma no corresponde al archivo
integrity-alarm-signer-changed = Firmado por otro que antes
integrity-alarm-signer-unproven = Firmado con el mismo nombre que antes, pero nada muestra que sea el mismo firmante
integrity-alarm-unread = Antes se podía leer, y ya no
integrity-alarm-unsigned-program = Un programa nuevo o cambiado sin firma
integrity-signers = Quién firmó los programas
integrity-signers-help = Una firma que corresponde muestra que el programa está como lo hizo su firmante. Quién es el firmante lo dice el certificado, y cualquiera puede escribir cualquier nombre en uno: Labward no juzga la cadena.
integrity-signing = Firma
integrity-signer-before = Firmado antes por
integrity-signer-now = Firmado ahora por
integrity-signing-lost = Ya no está firmado
integrity-signing-new = Firmado, y antes no había firma que correspondiera
integrity-signing-other-signer = Firmado por otro
integrity-signing-same-name = El mismo nombre, pero nada muestra que sea el mismo firmante
integrity-signing-same-signer = Firmado por el mismo firmante que antes
integrity-signing-unknown-before = La línea base no dice quién firmó antes
integrity-signing-unread = No se puede leer
integrity-signing-wrong = No corresponde al archivo
done-integrity-decided = Queda registrado.
home-finding-look = Verlo
list-integrity = líneas base de archivos
