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
sealed-now = Sellado: la clave raíz no está abierta, así que no se recibe ni se entrega nada. Ábrala en el servidor con labward key unseal.
failing-now = No se puede escribir en el registro. No se acepta nada; los historiales solo pueden leerse por acceso de emergencia.
unknown = –
yes = sí
why = Motivo
why-help = Queda anotado en el registro. Como máximo 1.000 caracteres.
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
sign-in-title = Iniciar sesión
sign-in-login = Nombre de usuario
sign-in-password = Contraseña
sign-in-button = Entrar
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
state-up = activo
state-down = caído
state-stopped = detenido
state-idle = inactivo
state-leaving = se retira
state-cosigned = cofirmado
state-failing = falla
state-not-asked = aún sin consultar
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
records-lead = Busque por cualquiera de estos datos. Los resultados van enmascarados y cada búsqueda queda anotada con su motivo.
records-mrn = Número de paciente
records-authority = Asignado por
records-name = Nombre
records-name-help = Basta el principio; se toleran errores al escribir.
records-birth = Fecha de nacimiento
records-birth-help = AAAA-MM-DD, AAAA-MM o AAAA
records-accession = Número de acceso
records-search = Buscar
records-loading = Los nombres aún se cargan tras el arranque: pueden faltar resultados. Busque de nuevo en un momento.
records-none = Nadie coincide. Revise la escritura o busque por otro dato.
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
patient-plot = { $test } { $unit }: { $count } valores de { $first } a { $last }, entre { $low } y { $high }, incluidos los extremos del rango de referencia. La tabla de abajo los contiene.
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
settings-lead = La configuración es el archivo labward.toml del servidor. Aquí ve qué cambiaría una recarga y la pone en vigor.
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

# Hecho
done-released = Liberado: se está entregando.
done-rejected = Rechazado: no va a ninguna parte.
done-resent = Se está enviando otra vez.
done-skipped = Se renunció a él; lo que esperaba detrás sigue.
done-resumed = El destino sigue.
done-added = Añadido.
done-removed = Desactivado. Todas sus sesiones se cerraron.
done-ended = La sesión se cerró.
done-saved = Guardado.
done-reloaded = En vigor.
done-signed-out = Su sesión está cerrada.

# Problemas
problem-title = No funcionó
problem-code = Código
problem-reference = Referencia para el archivo de sucesos
problem-home = A la página de inicio
problem-form = El formulario se envió desde otra página o demasiado tarde. Cargue la página de nuevo y envíelo otra vez.
