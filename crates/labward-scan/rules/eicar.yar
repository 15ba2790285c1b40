// The EICAR test file: 68 bytes at the beginning, then at most blanks up to 128 bytes in all, as EICAR says.
// The text is in pieces so that this file is not one.

rule Labward_EICAR_Test_File
{
    meta:
        description = "the EICAR test file, harmless, which every scanner must find"
        author = "Labward"
        score = 100
        reference = "EICAR, Anti Malware Testfile"
    strings:
        $test = /X5O!P%@AP\[4\\PZX54\(P\^\)7CC\)7\}\$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!\$H\+H\*/
    condition:
        $test at 0 and filesize <= 128 and
        (filesize == 68 or for all i in (68..filesize - 1) :
            (uint8(i) == 0x20 or uint8(i) == 0x09 or uint8(i) == 0x0A or uint8(i) == 0x0D or uint8(i) == 0x1A))
}

rule Labward_EICAR_Embedded
{
    meta:
        description = "the text of the EICAR test file within other bytes"
        author = "Labward"
        score = 40
    strings:
        $test = /X5O!P%@AP\[4\\PZX54\(P\^\)7CC\)7\}\$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!\$H\+H\*/
    condition:
        clinical and $test and not Labward_EICAR_Test_File
}
