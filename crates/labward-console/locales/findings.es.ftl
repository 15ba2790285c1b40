# La tabla de comprobaciones de labward-server en español: qué está mal y, en .todo, qué hacer. Sin
# punto final; tras lo primero siguen los lugares.

finding-unmeasured = { $count ->
    [one] { $count } cosa no se pudo mirar
   *[other] { $count } cosas no se pudieron mirar
  }
    .todo = vea abajo los motivos; abra la clave raíz del servidor, o déle lo que no puede leer

## Claves
finding-one-slot = hay una sola ranura, y sin ella ya nunca se podría leer nada
    .todo = añada otra con labward key add, mejor partes de recuperación en papel
finding-key-beside-data = un archivo de clave está en el mismo sistema de archivos que los datos, así que quien se lleve el disco tiene ambos
    .todo = añada un archivo de clave en otro volumen y quite después esta ranura
finding-key-file-readable = otras cuentas pueden leer un archivo de clave
    .todo = hágale chmod 600, y cambie después la clave raíz con labward key rotate
finding-key-file-missing = un archivo de clave no se ve donde dice su ranura
    .todo = monte su volumen; si no, un reinicio deja sellado el servidor
finding-slot-never-tested = nadie sabe si una ranura abre, porque nunca se probó
    .todo = pruébela con labward key test
finding-shares-never-tested = nadie sabe si las partes de recuperación abren su ranura, porque nunca se probaron
    .todo = reúna bastantes de ellas y pruébelas con labward key test
finding-slot-not-tested-lately = una ranura no se ha probado en 90 días
    .todo = pruébela con labward key test
finding-no-recovery-shares = no hay partes de recuperación para el día en que falten las demás ranuras
    .todo = añádalas con labward key add --shares 2/3 y dé cada una a una persona distinta
finding-no-key-file = ninguna ranura permite arrancar el servidor sin una persona, así que un reinicio lo deja sellado
    .todo = añada un archivo de clave en otro volumen, o asegúrese de que siempre haya alguien a mano
finding-root-key-not-locked = la clave raíz abierta está en memoria que puede pasar al disco
    .todo = dé a la cuenta del servidor más memoria bloqueada (LimitMEMLOCK en systemd, ulimit -l)
finding-secret-damaged = uno de los secretos propios de Labward en la base de datos cambió y ya no se abre
    .todo = restaure la copia de seguridad sana más reciente antes de que haga falta el secreto, y averigüe qué dañó el disco
finding-memory-lock-limit = el servidor puede bloquear tan poca memoria que las claves podrían pasar al disco
    .todo = dé a la cuenta del servidor más memoria bloqueada (LimitMEMLOCK en systemd, ulimit -l)

## Líneas
finding-plain-exception-ended = una excepción para una línea sin cifrar terminó
    .todo = cifre la línea, o anote una decisión nueva con un responsable y un fin
finding-plain-exception-ends-soon = una excepción para una línea sin cifrar termina en los próximos 30 días, y la línea con ella
    .todo = cifre la línea antes, o anote una decisión nueva con un responsable y un fin
finding-plain-link = un enlace fuera de esta máquina va sin cifrar
    .todo = use TLS mutuo, o ponga un edge junto al aparato y escuche en la propia máquina (loopback)
finding-plain-destination = hay mensajes que salen de esta máquina sin cifrar
    .todo = use TLS mutuo; pídalo al receptor
finding-plain-loopback = una línea dentro de esta máquina va sin cifrar, así que toda cuenta de ella puede escuchar
    .todo = no deje que nadie más entre en esta máquina, o use TLS mutuo también aquí
finding-open-address = un enlace escucha en todas las direcciones de esta máquina
    .todo = nombre en listen la dirección de la red del laboratorio
finding-certificate-ended = un certificado terminó, así que su titular no puede conectarse
    .todo = renueve el de un equipo con labward peer renew, y lleve el paquete a su titular
finding-certificate-ends-this-week = un certificado termina en los próximos 7 días
    .todo = renueve ya el de un equipo con labward peer renew, y lleve el paquete a su titular
finding-certificate-ends-this-month = un certificado termina en los próximos 30 días
    .todo = renueve el de un equipo con labward peer renew, y lleve el paquete a su titular
finding-authority-ends = la autoridad propia termina en los próximos dos años, y con ella todos los certificados que emitió
    .todo = planee certificados nuevos para todos los equipos antes de ese día
finding-receiver-certificate-ends = el certificado de un receptor termina en los próximos 30 días o ya terminó, y entonces no le llega nada
    .todo = pida uno nuevo a quien administra el receptor
finding-no-peers = no se conoce ningún equipo, así que no se puede recibir nada por TLS mutuo
    .todo = añada el primero con labward peer add
finding-peer-admits-all = un equipo puede enviar con cualquier nombre o de cualquier tipo
    .todo = escriba lo que de verdad envía: labward peer list muestra las reglas

## Edges
finding-edge-refused = se rechaza a un edge, porque su registro no continúa lo que se vio de él
    .todo = conserve su carpeta, llame al experto externo, y después inscríbalo de nuevo con labward peer enroll
finding-edge-damaged-items = en la cola de un edge se dañaron resultados y están perdidos
    .todo = haga que el aparato los envíe otra vez; labward ledger list muestra edge.item-lost con aparato y hora
finding-edge-away = no se sabe nada de un edge desde hace 10 minutos, así que sus resultados esperan allí
    .todo = revise su red y su corriente; labward edge status en él dice por qué
finding-edge-waiting = hay resultados que esperan en un edge desde hace más de 10 minutos aunque está conectado
    .todo = vea su archivo de sucesos y el disco de este servidor
finding-edge-certificate-ended = el certificado de un edge terminó, así que no se le deja entrar y sus resultados esperan allí
    .todo = haga un código con labward peer enroll con el mismo nombre, e inscriba el edge de nuevo en la misma carpeta
finding-edge-certificate-not-renewed = un edge no ha renovado su certificado, al que le queda menos de un cuarto de su vida
    .todo = conéctelo: labward edge status en él dice qué lo impide; cuando haya terminado se inscribe de nuevo con labward peer enroll

## Mensajes y pruebas
finding-ledger-unwritable = no se puede escribir en el registro, así que no se acepta nada y no se hace ningún acto
    .todo = libere espacio en el disco o arréglelo; para un paciente que no puede esperar abra un acceso de emergencia
finding-reserve-unusable = la reserva falta, está llena o el disco solo la promete, así que nadie podría leer un resultado mientras no se pueda escribir en el registro
    .todo = con espacio en el disco y el servidor parado: aparte el archivo reserve de la carpeta de datos, fallocate -l 64M reserve, chmod 600, y déselo al dueño del servidor
finding-break-glass = un acceso de emergencia espera la revisión de una segunda persona
    .todo = que lo revise alguien distinto de quien lo abrió: en la página de revisiones, o labward break-glass review NÚMERO
finding-break-glass-overdue = un acceso de emergencia no se revisó a tiempo, así que nadie sabe si leer estuvo justificado
    .todo = que lo revise hoy alguien distinto de quien lo abrió: labward break-glass list --waiting
finding-held-too-long = hay mensajes que esperan a una persona desde hace más de 90 días
    .todo = decida sobre ellos entre los mensajes retenidos, o con labward message list --state held
finding-held-a-week = hay mensajes que esperan a una persona desde hace más de 7 días
    .todo = decida sobre ellos entre los mensajes retenidos, o con labward message list --state held
finding-dead-letters = hay mensajes que no se pudieron entregar y se dieron por perdidos
    .todo = averigüe la causa y envíelos otra vez con labward message resend
finding-destination-stopped = la entrega a un destino está detenida
    .todo = vea por qué en Flujo o con labward destination list, y después labward destination resume
finding-destination-down = un destino no responde, así que sus mensajes esperan
    .todo = vea por qué en Flujo o con labward destination list; mientras tanto no se pierde nada
finding-messages-without-destination = hay mensajes que esperan a un destino que no está configurado
    .todo = configúrelo otra vez y recargue, o renuncie a cada uno de ellos con labward message skip
finding-backlog-growing = cada vez que se mira, más mensajes esperan a un destino
    .todo = compare sus conexiones con lo rápido que responde el receptor
finding-peer-silent = un equipo que envía con regularidad calla desde hace mucho más que nunca
    .todo = vea si el aparato está encendido y conectado: labward status muestra su enlace
finding-revoked-peer-connects = un equipo revocado todavía intenta conectarse
    .todo = encuentre el aparato que tiene esta dirección y sáquelo de la red, o déle un certificado nuevo
finding-ledger-not-verified = el registro no se ha verificado en 30 días
    .todo = verifíquelo en la página Registro, o ejecute labward ledger verify
finding-ledger-not-exported = el registro no se ha exportado en 30 días, así que nadie de fuera podría demostrar un cambio
    .todo = expórtelo y dé el paquete a otra persona: en la página Registro, o labward ledger export
finding-clock-jumped = el reloj de esta máquina saltó en los últimos 7 días
    .todo = configure la sincronización de la hora (chrony, systemd-timesyncd)
finding-no-witness = ningún testigo cofirma los puntos de control, así que a los de fuera se les podría ocultar una segunda historia
    .todo = pida a un socio o al experto externo que ejecute labward ledger witness (docs/guide/witness.md)
finding-witness-refuses = un testigo tiene otra historia de este registro: fue rebobinado, o alguien usa una copia
    .todo = conserve ledger/evidence de la carpeta de datos, ejecute labward ledger verify y averigüe qué copia es la verdadera
finding-witness-behind = a un testigo le faltan asientos y no ha cofirmado nada en un día, o nunca
    .todo = vea por qué en Flujo, o en labward status
finding-ledger-files = las teselas publicadas no llevan al punto de control firmado
    .todo = ejecute labward ledger verify; las teselas se escriben otra vez a partir de las filas con el próximo asiento
finding-checkpoint-behind = ningún punto de control firmado cubre los asientos más nuevos
    .todo = vea en el archivo de sucesos del servidor por qué no se pudo publicar el registro
finding-config-not-loaded = labward.toml no es la configuración en vigor
    .todo = vea en Ajustes o con labward reload --preview qué cambiaría una recarga, y después recargue o vuelva a ponerlo como estaba
finding-nobody-may = nadie del laboratorio puede hacer lo que alguien debe poder hacer
    .todo = dé la función a alguien con labward person add
finding-account-gone = la cuenta de una persona ya no existe, y quien reciba su número recibe sus derechos
    .todo = quite a la persona con labward person remove
finding-socket-group-wide = cuentas que no son de nadie del laboratorio pueden llegar al socket de administración
    .todo = sáquelas del grupo que nombra socket_group
finding-one-administrator = solo una persona puede cambiar personas, equipos y claves
    .todo = añada una segunda en Personas, o con labward person add
finding-retention-below-floor = los documentos se conservan menos tiempo del que pide la ley
    .todo = alargue los tiempos de [retention] en labward.toml

## Copias de seguridad
finding-no-backup = nunca se hizo una copia de seguridad, así que un disco roto lo pierde todo
    .todo = haga una con labward backup create, en otro volumen, y después a diario
finding-backup-old = la última copia de seguridad tiene más de 2 días
    .todo = averigüe por qué no se ejecutó el labward backup create diario
finding-backup-beside-data = la última copia de seguridad está en el mismo sistema de archivos que los datos, así que un disco roto se lleva ambos
    .todo = haga la copia en otro volumen, y guarde una en otro edificio
finding-no-key-archive = no hay ningún archivo de claves, así que ninguna copia de seguridad se podría leer nunca
    .todo = haga uno con labward key archive create, aparte de la copia de seguridad, y después a diario
finding-key-archive-old = el archivo de claves más reciente tiene más de 2 días, así que una restauración pierde a los pacientes más nuevos
    .todo = haga uno con cada copia de seguridad: labward key archive create
finding-key-archive-overdue = el tiempo de un archivo de claves terminó y nada dice que esté borrado, así que la eliminación no es completa
    .todo = monte su volumen y ejecute labward key archive expire
finding-no-drill = nunca se probó una restauración, así que nadie sabe si funciona ni cuánto tarda
    .todo = pruebe una con labward backup verify --drill
finding-drill-old = no se ha probado ninguna restauración en 90 días
    .todo = pruebe una con labward backup verify --drill
finding-restore-not-confirmed = esta instalación se restauró, y la entrega espera la confirmación de una persona
    .todo = avise a los receptores de que lo que recibieron desde la copia llega otra vez con los mismos identificadores de control, y después labward backup confirm

## La máquina
finding-data-in-memory = la carpeta de datos está en memoria y desaparece con un reinicio
    .todo = póngala en un disco
finding-data-on-overlay = la carpeta de datos está en la capa propia de un contenedor y desaparece con él
    .todo = monte un volumen para ella
finding-data-on-network = la carpeta de datos está en un sistema de archivos de red, que puede perder lo que dio por escrito
    .todo = póngala en un disco de esta máquina
finding-sync-too-fast = el disco dice que los datos están a salvo antes de lo posible, así que un corte de corriente puede perder resultados
    .todo = desactive la caché de escritura del disco o del anfitrión que no obedece, o use otro disco
finding-data-readable = otras cuentas pueden llegar a archivos de la instalación
    .todo = hágales chmod go-rwx; la carpeta de datos es solo de su dueño
finding-foreign-owner = otra cuenta es dueña de archivos de la instalación
    .todo = déselos con chown a la cuenta del servidor
finding-disk-full = el disco de los datos está casi lleno: queda libre menos del 5 % o de 1 GiB
    .todo = libere espacio ya; sin él no se acepta nada más
finding-disk-fills-soon = el disco de los datos estará lleno en menos de dos semanas
    .todo = libere espacio, o averigüe qué crece
finding-inodes-low = en el sistema de archivos de los datos caben ya pocos archivos más
    .todo = quite de él archivos pequeños, o haga un sistema de archivos con más inodos
finding-reserve-missing = el espacio apartado para atender a pacientes con el disco lleno falta o es corto
    .todo = pare el servidor y hágalo de nuevo: fallocate -l 64M reserve en la carpeta de datos
finding-disk-low = queda libre menos del 15 % del disco de los datos
    .todo = prevea más espacio
finding-core-dumps = una caída del programa puede escribir claves y documentos en el disco
    .todo = arranque el servidor con labward serve, o ponga LimitCORE=0
finding-swap = se usa espacio de intercambio que no se sabe cifrado, así que documentos en memoria pueden llegar en claro a un disco
    .todo = desactive el intercambio, o cífrelo con una clave que se pierde al apagar
finding-clock-not-kept = ninguna fuente de hora mantiene el reloj de esta máquina, así que las horas de las pruebas se desvían
    .todo = configure la sincronización de la hora (chrony, systemd-timesyncd)
finding-sync-slow = el disco tarda en poner a salvo los datos, así que los emisores esperan su acuse de recibo
    .todo = ponga la carpeta de datos en un disco más rápido
finding-runs-as-root = el servidor se ejecuta como root
    .todo = ejecútelo con una cuenta propia
finding-provider-silent = el proveedor de identidad no responde desde hace diez minutos, así que nadie puede iniciar sesión con él
    .todo = vea en el registro del servidor por qué, y si funciona; quien tiene una llave de acceso o una contraseña inicia sesión con ella
finding-webhook-stopped = se dejó de avisar a un receptor de eventos
    .todo = vea por qué con labward webhook list, luego déjelo seguir con labward webhook resume
finding-webhook-failing = un receptor de eventos no ha aceptado nada en un día
    .todo = vea por qué con labward webhook list; lo que espera se envía en cuanto responda
finding-webhook-no-secret = un receptor de eventos aún no tiene secreto, así que no se le envía nada
    .todo = cree uno con labward webhook secret y déselo al receptor
finding-expert-without-engagement = un experto externo no tiene encargo, o ya terminó, y no ve nada
    .todo = dele uno con labward person engage, o quítelo con labward person remove
