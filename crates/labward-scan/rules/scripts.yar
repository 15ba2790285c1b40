// Scripts that fetch or unpack a program. Alone such words stand in manuals, so each rule asks for the whole command and
// for bytes that are no page of documentation: a script by its name, or a part of a clinical carrier.

rule Labward_PowerShell_Encoded_Command
{
    meta:
        description = "PowerShell is started with an encoded command"
        author = "Labward"
        score = 75
    strings:
        $run = /powershell(\.exe)?["']?\s+([-\/][a-z]+(\s+[a-z0-9]+)?\s+){0,6}[-\/]e(nc?|ncodedcommand|c)?\s+["']?[A-Za-z0-9+\/]{60,}={0,2}/ nocase ascii wide
    condition:
        filesize < 8MB and $run
}

rule Labward_PowerShell_Download_And_Run
{
    meta:
        description = "PowerShell fetches something and runs it"
        author = "Labward"
        score = 70
    strings:
        $run1 = /(iex|invoke-expression)[\s\(&]{1,4}\(?new-object\s+(system\.)?net\.webclient\)?\.download(string|data)\s*\(\s*['"]https?:/ nocase ascii wide
        $run2 = /(iex|invoke-expression)\s*\(\s*(iwr|invoke-webrequest|irm|invoke-restmethod|curl)\s+['"-]/ nocase ascii wide
        $hidden = /-w(in(dowstyle)?)?\s+hidden/ nocase ascii wide
    condition:
        filesize < 8MB and any of ($run*) and
        ($hidden or clinical or extension == ".hta" or extension == ".js" or extension == ".vbs" or extension == ".bat" or extension == ".lnk")
}

rule Labward_Mshta_From_Address
{
    meta:
        description = "mshta is started with a page from elsewhere"
        author = "Labward"
        score = 75
    strings:
        $run = /mshta(\.exe)?["']?\s+["']?(https?:\/\/|javascript:|vbscript:)[^\s"'<>]{8}/ nocase ascii wide
    condition:
        filesize < 8MB and $run
}

rule Labward_Certutil_Fetches_Or_Decodes
{
    meta:
        description = "certutil is used to fetch or decode a program"
        author = "Labward"
        score = 75
    strings:
        $fetch = /certutil(\.exe)?["']?\s+.{0,60}[-\/]urlcache\s+.{0,60}https?:\/\/[^\s"'<>]{4}/ nocase ascii wide
        $decode = /certutil(\.exe)?["']?\s+[-\/]decode(hex)?\s+\S{1,80}\s+\S{1,80}\.(exe|dll|scr|vbs|js|hta|bat)\b/ nocase ascii wide
    condition:
        filesize < 8MB and any of them
}

rule Labward_Bitsadmin_Fetches_Program
{
    meta:
        description = "bitsadmin is used to fetch a program"
        author = "Labward"
        score = 75
    strings:
        $run = /bitsadmin(\.exe)?["']?\s+\/transfer\s+.{0,120}https?:\/\/[^\s"'<>]{4,200}\.(exe|dll|scr|vbs|js|hta|bat|ps1|msi)\b/ nocase ascii wide
    condition:
        filesize < 8MB and $run
}

rule Labward_Script_Host_Runs_Command
{
    meta:
        description = "a script that starts a command interpreter through the Windows script host"
        author = "Labward"
        score = 75
    strings:
        $object = /(CreateObject|ActiveXObject|GetObject)\s*\(\s*["']WScript\.Shell["']/ nocase ascii wide
        $run = /\.(Run|Exec)\s*\(?\s*["'][^"'\n]{0,60}(cmd(\.exe)?\s|powershell|mshta|certutil|bitsadmin|rundll32|regsvr32)/ nocase ascii wide
    condition:
        filesize < 2MB and $object and $run
}

rule Labward_Shell_Fetches_And_Runs_In_Clinical
{
    meta:
        description = "a shell command that fetches a script and runs it, in a clinical message or document"
        author = "Labward"
        score = 75
    strings:
        $run = /(curl|wget)\s[^\n|;]{0,200}https?:\/\/[^\s|;]{4,200}\s*(\|\s*(ba|da|z)?sh\b|;\s*chmod\s+\+x|&&\s*(ba)?sh\s)/ nocase
    condition:
        clinical and filesize < 8MB and $run
}

rule Labward_Script_Attachment_Obfuscated
{
    meta:
        description = "a script for the Windows script host that builds its code from numbers or pieces"
        author = "Labward"
        score = 65
    strings:
        $host1 = "WScript." nocase
        $host2 = "ActiveXObject" nocase
        $host3 = "CreateObject" nocase
        $build1 = /eval\s*\(\s*(unescape|atob|String\.fromCharCode)/ nocase
        $build2 = /(Chr[W$]?\s*\(\s*(&H)?[0-9A-F]{1,4}\s*\)\s*&\s*){12}/ nocase
        $build3 = /String\.fromCharCode\s*\((\s*\d{1,3}\s*,){24}/ nocase
        $build4 = /Execute(Global)?\s*\(?\s*(Chr|StrReverse|Replace)/ nocase
    condition:
        filesize < 2MB and any of ($host*) and any of ($build*)
}

rule Labward_Ransom_Note
{
    meta:
        description = "the words of a ransom note"
        author = "Labward"
        score = 70
    strings:
        $a1 = "all your files have been encrypted" nocase ascii wide
        $a2 = "your files are encrypted" nocase ascii wide
        $a3 = "all of your files are currently encrypted" nocase ascii wide
        $a4 = "your network has been" nocase ascii wide
        $a5 = "your files have been encrypted" nocase ascii wide
        $b1 = "bitcoin" nocase ascii wide
        $b2 = "decryption tool" nocase ascii wide
        $b3 = "decryptor" nocase ascii wide
        $b4 = "private key" nocase ascii wide
        $b5 = "restore your files" nocase ascii wide
        $c1 = ".onion" nocase ascii wide
        $c2 = "tor browser" nocase ascii wide
        $c3 = "your data will be published" nocase ascii wide
        $c4 = "data has been stolen" nocase ascii wide
        $c5 = "do not rename" nocase ascii wide
    condition:
        filesize < 64KB and any of ($a*) and any of ($b*) and any of ($c*)
}
