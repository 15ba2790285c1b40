//! The words of the page to print, in each language.
//!
//! It must never hold a word of others.

macro_rules! words {
    ($($name:ident: $en:literal, $es:literal;)+) => {
        /// What the page says.
        pub(super) struct Words {
            $(pub(super) $name: &'static str,)+
        }

        pub(super) const EN: Words = Words { $($name: $en,)+ };
        pub(super) const ES: Words = Words { $($name: $es,)+ };
    };
}

words! {
    language: "en", "es";
    title: "Disk examined for malware", "Disco examinado en busca de programas maliciosos";
    verdict_found: "Something was found on this disk.", "En este disco se encontró algo.";
    verdict_incomplete: "Nothing was found, but not everything could be looked into.",
        "No se encontró nada, pero no se pudo mirar dentro de todo.";
    verdict_clean: "Everything was looked into, and nothing was found.", "Se miró dentro de todo y no se encontró nada.";
    limits: "Not looked at: deleted files, space between files, boot sectors, alternate streams of files, and what is encrypted. What no rule, hash or structure describes is not found.",
        "No se mira: archivos borrados, espacio entre archivos, sectores de arranque, flujos alternativos de archivos y lo que está cifrado. No se encuentra lo que ninguna regla, hash o estructura describe.";
    disk: "Disk and examination", "Disco y examen";
    name: "Called", "Nombre";
    label: "Label", "Etiqueta";
    file_system: "File system", "Sistema de archivos";
    uuid: "Number of the file system", "Número del sistema de archivos";
    source: "Device", "Dispositivo";
    mount_point: "Mounted at", "Montado en";
    options: "Mounted with", "Montado con";
    read_only: "Mounted read-only", "Montado en solo lectura";
    disk_size: "Size", "Tamaño";
    system: "Operating system", "Sistema operativo";
    started: "Began", "Comenzó";
    ended: "Ended", "Terminó";
    version: "Labward's version", "Versión de Labward";
    confined: "Process confined by", "Proceso confinado por";
    yes: "yes", "sí";
    no: "no", "no";
    counts: "What was looked at", "Lo que se miró";
    files: "files", "archivos";
    bytes: "bytes, with what is packed in the files", "bytes, con lo que está empaquetado en los archivos";
    parts: "parts", "partes";
    clean: "clean", "limpios";
    suspicious: "suspicious", "sospechosos";
    malicious: "malicious", "maliciosos";
    unscannable: "not looked into", "sin poder mirar dentro";
    scanner_errors: "scanner errors", "errores del examen";
    unread: "not read", "no leído";
    links: "links, not followed", "enlaces, no seguidos";
    special: "special files, not opened", "archivos especiales, no abiertos";
    other_file_systems: "other file systems, not entered", "otros sistemas de archivos, no recorridos";
    rules: "Rules and lists", "Reglas y listas";
    licence: "Licence", "Licencia";
    age: "Age", "Antigüedad";
    days: "days", "días";
    entries: "Rules or hashes", "Reglas o hashes";
    not_taken: "Not taken", "No tomadas";
    found: "What was found", "Lo que se encontró";
    nothing: "Nothing.", "Nada.";
    not_looked: "not looked into", "sin poder mirar dentro";
    obstacles: "What could not be looked into, and why", "Dentro de qué no se pudo mirar, y por qué";
    left_out: "more, which only the JSON tells or counts", "más, que solo el JSON muestra o cuenta";
    evidence: "Evidence", "Evidencia";
    evidence_help: "This page belongs to the JSON file with everything that was seen. Whoever has both can check with sha256sum that the file is the one that this page was made from.",
        "Esta página pertenece al archivo JSON con todo lo que se vio. Quien tenga ambos puede comprobar con sha256sum que el archivo es aquel del que se hizo esta página.";
    by: "Examined by", "Examinado por";
    day: "Day", "Fecha";
    signature: "Signature", "Firma";
}

impl Words {
    /// The word for the code of a verdict.
    pub(super) fn verdict(&self, code: &str) -> &'static str {
        match code {
            "malicious" => self.malicious,
            "suspicious" => self.suspicious,
            "unscannable" => self.unscannable,
            "clean" => self.clean,
            _ => self.scanner_errors,
        }
    }
}
