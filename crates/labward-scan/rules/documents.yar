// Documents that start something.

rule Labward_PDF_Launches_Command
{
    meta:
        description = "a PDF that starts a command interpreter"
        author = "Labward"
        reference = "ISO 32000-2, 12.6.4.6 Launch actions"
        score = 80
    strings:
        $launch = /\/S\s*\/Launch\b/
        $command = /\/(F|P|Win)\s*(<<\s*\/F\s*)?\(.{0,40}(cmd(\.exe)?|powershell|mshta|wscript|cscript|rundll32|\/bin\/sh|\/bin\/bash)/ nocase
    condition:
        uint32(0) == 0x46445025 and $launch and $command
}

rule Labward_RTF_Equation_Object
{
    meta:
        description = "an RTF document with an object of the old equation editor"
        author = "Labward"
        reference = "CVE-2017-11882"
        score = 80
    strings:
        $class = /\\objclass\s+Equation\.[23]/ nocase
        $object = "\\objdata" nocase
        $progid = "4571756174696f6e2e33" nocase
        $clsid = "02ce020000000000c000000000000046" nocase
    condition:
        uint32be(0) == 0x7B5C7274 and $object and ($class or $progid or $clsid)
}

rule Labward_Macro_Starts_Program
{
    meta:
        description = "macro code that runs by itself and starts another program"
        author = "Labward"
        score = 75
    strings:
        $auto = /Sub\s+(AutoOpen|Auto_Open|AutoExec|AutoClose|Document_Open|Workbook_Open|Document_Close)\b/ nocase
        $shell1 = "WScript.Shell" nocase
        $shell2 = "Shell.Application" nocase
        $shell3 = /\bShell\s*\(?\s*"/ nocase
        $shell4 = "winmgmts:" nocase
        $what1 = "powershell" nocase
        $what2 = "mshta" nocase
        $what3 = "cmd /c" nocase
        $what4 = "cmd.exe" nocase
        $what5 = "URLDownloadToFile" nocase
        $what6 = "MSXML2.XMLHTTP" nocase
        $what7 = "regsvr32" nocase
    condition:
        $auto and any of ($shell*) and any of ($what*) and filesize < 4MB
}

rule Labward_HTA_In_Mail_Or_Message
{
    meta:
        description = "an HTML application, which runs without the limits of a browser"
        author = "Labward"
        score = 70
    strings:
        $application = "<hta:application" nocase
        $script = "<script" nocase
    condition:
        filesize < 2MB and
        (($application in (0..4096) and $script) or (extension == ".hta" and $script))
}

rule Labward_Shortcut_Starts_Interpreter
{
    meta:
        description = "a Windows shortcut that starts a command interpreter with a download or hidden command"
        author = "Labward"
        score = 80
    strings:
        $i1 = "powershell" nocase ascii wide
        $i2 = "mshta" nocase ascii wide
        $i3 = "cmd.exe" nocase ascii wide
        $i4 = "wscript" nocase ascii wide
        $i5 = "rundll32" nocase ascii wide
        $d1 = "http://" nocase ascii wide
        $d2 = "https://" nocase ascii wide
        $d3 = "-enc" nocase ascii wide
        $d4 = "hidden" nocase ascii wide
        $d5 = "/c " nocase ascii wide
        $d6 = "javascript:" nocase ascii wide
    condition:
        uint32(0) == 0x0000004C and uint32(4) == 0x00021401 and filesize < 1MB and any of ($i*) and any of ($d*)
}
