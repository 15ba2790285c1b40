# La tabla de observaciones de labward-base en español. Lo que dijo otro programa (quote) no está aquí:
# la página lo muestra detrás, tal como es.

## Dónde está algo
remark-name = { $name }
remark-count = { $count }
remark-day = { $day }
remark-time = { $time }
remark-and-more = y { $count } más
remark-counted = { $name } ({ $count })
remark-until = { $name } ({ $day })
remark-slot = ranura { $slot }
remark-slot-named = ranura { $slot } ({ $name })
remark-secret = secreto { $name }
remark-archive = archivo de claves { $name }
remark-link = enlace { $name }
remark-link-at = enlace { $name } ({ $address })
remark-link-until = enlace { $name } ({ $day })
remark-destination = destino { $name }
remark-destination-until = destino { $name } ({ $day })
remark-server-certificate = el del propio servidor ({ $day })
remark-authority-certificate = el de la autoridad ({ $day })
remark-waiting = { $name } ({ $count ->
    [one] { $count } espera
   *[other] { $count } esperan
  })
remark-silent = { $name } desde { $time }, antes nunca más de { $hours } h
remark-connects-from = desde { $address }, la última vez { $time }
remark-longest-open = la más larga estuvo abierta { $hours } h
remark-last = la última vez { $time }
remark-entries-since = { $count ->
    [one] { $count } asiento
   *[other] { $count } asientos
  } desde { $time }
remark-entries-ever = { $count ->
    [one] { $count } asiento
   *[other] { $count } asientos
  } desde el principio
remark-results-kept = resultados { $years ->
    [one] { $years } año
   *[other] { $years } años
  } en lugar de { $least }
remark-pathology-kept = patología { $years ->
    [one] { $years } año
   *[other] { $years } años
  } en lugar de { $least }
remark-opening = el { $number }, abierto { $time }
remark-mebibytes-free = { $free ->
    [one] queda libre { $free } MiB
   *[other] quedan libres { $free } MiB
  } de { $total }
remark-inodes-free = { $free ->
    [one] queda libre { $free }
   *[other] quedan libres { $free }
  } de { $total }
remark-kibibytes-there = { $there ->
    [one] está apartado { $there } KiB
   *[other] están apartados { $there } KiB
  } de { $total }
remark-full-in = { $days ->
    [one] dentro de { $days } día
   *[other] dentro de { $days } días
  } al ritmo actual
remark-bytes = { $count ->
    [one] { $count } byte
   *[other] { $count } bytes
  }
remark-sync-time = 4 KiB en { $micros } µs
remark-core-pattern = core_pattern es { $pattern }
remark-core-file = un archivo { $pattern }
remark-account = { $name } (cuenta { $number })
remark-may-decide = liberar o rechazar mensajes retenidos
remark-may-show = leer un documento
remark-may-change-peers = añadir y revocar equipos
remark-may-change-keys = cambiar y probar ranuras
remark-may-change-config = recargar la configuración

## Por qué algo no se midió
remark-technical = el sistema dijo, en inglés:
remark-file = de { $path } el sistema dijo, en inglés:
remark-not-known = no se sabe
remark-sealed = la clave raíz está sellada
remark-no-mount = ningún montaje contiene la carpeta de datos
remark-accounts-elsewhere = las cuentas de esta máquina vienen también de { $source }: { $names } no está en /etc/passwd
remark-no-group = no hay ningún grupo { $name } en /etc/group
remark-no-handshake = desde el arranque aún no hubo ninguna negociación TLS con { $names }
remark-read-back-to = el registro solo se leyó hacia atrás hasta { $time }
remark-disk-not-measured = el disco todavía no se ha medido
remark-disk-watched-briefly = el servidor observa el disco desde hace menos de una hora
remark-backups-unread = no se pudo leer lo que se hizo con las copias de seguridad
remark-provider-not-asked = aún no se ha preguntado al proveedor de identidad
remark-not-from-file = el servidor no se arrancó desde un archivo
remark-config-unread = no se puede leer el archivo de configuración
remark-no-check = no existe { $name }

## Lo que está junto a un hecho
remark-no-line = ninguna línea de este tipo sale de esta máquina
remark-no-device = no se conoce ningún dispositivo
remark-nobody-signs-in = nadie inicia sesión en la consola; cómo lo hacen las cuentas del sistema operativo no se ve
remark-console-off = la consola está apagada; las sesiones del sistema operativo no se ven
remark-no-record = todavía no se guarda ningún documento
remark-no-restore = no se probó ninguna restauración
remark-found-faults = la última verificación encontró fallos
remark-ledger-unwritable = no se puede escribir en el registro
remark-no-act = en los últimos tiempos no hubo ningún acto así en el registro

## Testigos y archivos del registro
remark-other-root = el punto de control de { $count ->
    [one] { $count } asiento
   *[other] { $count } asientos
  } tiene otra raíz
remark-witness-cosigned = { $name }: cofirmó { $count ->
    [one] { $count } asiento
   *[other] { $count } asientos
  } el { $time }
remark-witness-nothing = { $name }: todavía no ha cofirmado nada
remark-witness-not-compared = { $name }: no se comparó
remark-witness-status = responde con el estado { $number }
remark-witness-not-signed = su punto de control no está firmado por este registro y por él
remark-witness-saw-more = cofirmó { $seen ->
    [one] { $seen } asiento
   *[other] { $seen } asientos
  } y este registro tiene { $size }: fue rebobinado, o esto es una copia
remark-witness-saw-other = este registro de { $size ->
    [one] { $size } asiento
   *[other] { $size } asientos
  } no continúa los { $old } que cofirmó: hay una segunda historia
remark-witness-knows-no-ledger = no conoce este registro: allí, labward ledger witness add-log
remark-witness-trusts-no-key = no confía en la clave de este registro
remark-witness-other-size = nombra cada vez otro tamaño
remark-witness-no-cosignature = su respuesta no contiene ninguna cofirma de su clave
remark-witness-silent = no responde; el sistema dijo, en inglés:
remark-witness-broke-off = su respuesta se cortó; el sistema dijo, en inglés:
remark-exception-ended = la excepción para esta línea sin cifrar terminó
remark-raised-before = anotado antes, en inglés:

## Qué está mal en el registro, y dónde
remark-unreadable = no se puede leer
remark-head-size = su tamaño no es el número de asientos
remark-head-root = su raíz no es la de los asientos
remark-head-time = su hora no es la del último asiento
remark-row-unreadable = su fila no se puede leer
remark-leaf-not-canonical = su hoja no tiene la forma canónica
remark-time-before = su hora es anterior a la del asiento de delante
remark-missing = falta
remark-leaf-of-other-place = su hoja es de otro lugar
remark-leaf-of-other-node = su hoja es de otro nodo
remark-site-differs = su sede difiere de su hoja
remark-record-differs = su documento difiere de su hoja
remark-patient-differs = su paciente difiere de su hoja
remark-kind-differs = su tipo difiere de su hoja
remark-action-differs = su acción difiere de su hoja
remark-payload-never-was = se dice eliminado un contenido que nunca existió
remark-payload-added = tiene un contenido que su hoja no tiene
remark-payload-missing = falta su contenido, y ningún asiento dice por qué
remark-payload-differs = su contenido difiere de su resumen
remark-payload-still-there = se dice eliminado su contenido, pero está ahí
remark-payload-dropped-otherwise = su contenido se eliminó, pero no por el asiento que nombra
remark-not-signed-checkpoint = no es un punto de control firmado por esta clave
remark-checkpoint-not-larger = su punto de control no es mayor que el anterior
remark-root-not-reached = los asientos no llevan a la raíz firmada allí
remark-tile-differs = difiere de los asientos
remark-tile-unreadable = falta o no se puede leer
remark-leaf-differs = su hoja difiere de la tesela escrita para ella
remark-root-not-compared = su raíz no se pudo comparar: faltan asientos
remark-signed-for-more = se firmó para más asientos de los que hay
remark-history-not-newest = su última línea no es el punto de control más nuevo
remark-cosigned-other-tree = un testigo cofirmó otro árbol de este tamaño: hay una segunda historia
remark-cosigned-more = un testigo cofirmó más asientos de los que hay: el registro fue rebobinado, o esto es una copia
remark-database-unsound = el archivo no está íntegro ahí
remark-secret-unsound = cambió y no se abre
remark-entry = asiento { $index }
remark-entries = asientos { $first } a { $last }
remark-tree-head = cabeza del árbol
remark-line = { $name }, línea { $number }
remark-held-by = { $name }, { $count ->
    [one] { $count } asiento
   *[other] { $count } asientos
  }
remark-in-database = base de datos: { $name }
remark-secret-in-database = base de datos: secreto { $name }
remark-in-quarantine = cuarentena: elemento { $count }

## Lo que está junto a un problema
remark-wait = { $seconds ->
    [one] { $seconds } segundo
   *[other] { $seconds } segundos
  }
remark-permission = falta el permiso { $name }
remark-person = persona { $number }
remark-peer = equipo { $number }
remark-session = sesión { $number }
remark-passkey = llave de acceso { $number }
remark-token = token { $number }
remark-message = mensaje { $number }
remark-requirement = requisito { $citation }
remark-password-common = mucha gente la elige
remark-password-known-words = es poco más que nombres y palabras que todos conocen
remark-password-repeated = es un trozo corto repetido
remark-password-sequence = sigue el alfabeto o el teclado
remark-password-too-long = es más larga que { $count } bytes
remark-password-too-short = tiene menos de { $count } caracteres
remark-passkey-name = su nombre tiene de 1 a 64 caracteres
remark-passkey-over = el tiempo para responder terminó, o ya se respondió
remark-passkey-answer-malformed = la respuesta del navegador no tiene la forma debida
remark-passkey-answer-wrong = la respuesta del dispositivo no corresponde a lo que se pidió
remark-passkey-not-kept = no se puede guardar
remark-passkey-not-asked = no se pudo pedir ninguna
remark-passkey-too-many = esta persona tiene 20: quite una antes
remark-passkey-known = ya se conoce
remark-record-length = tiene { $count ->
    [one] { $count } byte
   *[other] { $count } bytes
  }
remark-retained-until = un documento se conserva hasta { $time }
remark-answer-no-administrator = todavía no hay ningún administrador
remark-answer-reserve = la reserva es de 1 a 65536 MiB
remark-answer-misplaced = no es lo que se pide ahora
remark-answer-missing = todavía se pide algo
remark-answer-enough-slots = bastan estas ranuras; añada más después
remark-answer-key-file-twice = otra ranura ya tiene este archivo de clave
remark-answer-passphrase = una frase de contraseña tiene al menos 15 caracteres
remark-answer-shares = de 2 a 16 partes deben hacer falta al menos 2
remark-answer-label = una etiqueta tiene de 1 a 64 caracteres
remark-answer-no-slot = sin una ranura ya nunca se podría leer nada: dé al menos una
remark-answer-person-name = el nombre de una persona tiene de 1 a 100 caracteres
remark-answer-first-person = la primera persona debe ser administrador
remark-answer-key-file-path = un archivo de clave necesita una ruta absoluta
remark-answer-key-file-exists = { $path } ya existe; si lo dejó una instalación interrumpida, no abre nada y se puede borrar
remark-answer-key-file-folder = la carpeta de { $path } no está; monte antes su volumen
remark-answer-nothing-typed = no hay nada que escribir de vuelta
remark-answer-wrong-groups = estos no son los grupos de esa parte; mire de nuevo su papel
remark-answer-shares-out = las partes de esta ranura ya se entregaron
remark-answer-failed = la instalación falló; empiece de nuevo
remark-answer-no-passphrase = no se dio ninguna frase de contraseña
remark-answer-version = las respuestas no son de la versión 1
remark-no-such-state = no existe ese estado
remark-no-such-decision = no existe esa decisión
remark-no-such-person = no existe esa persona
remark-no-such-session = no existe esa sesión
remark-no-such-passkey = no existe esa llave de acceso
remark-no-such-list = no existe esa lista
remark-time-form = una hora es AAAA-MM-DD o RFC 3339, por ejemplo 2026-11-22T20:33:00Z
remark-query-form = los datos de la dirección no tienen la forma debida
remark-address-form = la dirección no tiene la forma debida
remark-path-form = { $name } en la dirección no tiene la forma debida
remark-edits-form = los cambios no tienen la forma debida
remark-no-edit = no hay ningún cambio
remark-glass-minutes = un acceso de emergencia dura de 1 a { $most } minutos
remark-several-destinations = el mensaje espera en varios destinos: nombre uno
remark-message-states = el estado es recibido, retenido, en espera o sin entregar (received, held, waiting, dead)
remark-restated = lo mismo, en inglés:
remark-passkey-not-kept-there = este dispositivo no guarda llaves de acceso que se encuentren sin un nombre
