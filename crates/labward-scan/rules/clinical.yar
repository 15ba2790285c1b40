// Programs where a laboratory carries results. `clinical` says that the part stands in a message, FHIR, CDA or DICOM.

rule Labward_Windows_Program_In_Clinical
{
    meta:
        description = "a Windows program in a clinical message or document"
        author = "Labward"
        score = 75
    condition:
        clinical and uint16(0) == 0x5A4D and
        (uint32(uint32(0x3C)) == 0x00004550 or filesize > 64)
}

rule Labward_ELF_Program_In_Clinical
{
    meta:
        description = "a Linux program in a clinical message or document"
        author = "Labward"
        score = 75
    condition:
        clinical and uint32(0) == 0x464C457F
}

rule Labward_MachO_Program_In_Clinical
{
    meta:
        description = "a macOS program in a clinical message or document"
        author = "Labward"
        score = 75
    condition:
        clinical and
        (uint32(0) == 0xFEEDFACE or uint32(0) == 0xFEEDFACF or uint32be(0) == 0xFEEDFACE or uint32be(0) == 0xFEEDFACF or
         (uint32be(0) == 0xCAFEBABE and uint32be(4) < 40))
}

rule Labward_DICOM_Preamble_Program
{
    meta:
        description = "a DICOM file whose preamble is the head of a program"
        author = "Labward"
        reference = "CVE-2019-11687"
        score = 80
    strings:
        $dicm = "DICM"
    condition:
        $dicm at 128 and
        (uint16(0) == 0x5A4D or uint32(0) == 0x464C457F or uint32(0) == 0xFEEDFACF or uint16(0) == 0x2123)
}

rule Labward_Windows_Program_Said_To_Be_Document
{
    meta:
        description = "a Windows program under the name of a document or picture"
        author = "Labward"
        score = 75
    condition:
        uint16(0) == 0x5A4D and filesize > 64 and uint32(uint32(0x3C)) == 0x00004550 and
        (extension == ".pdf" or extension == ".jpg" or extension == ".jpeg" or extension == ".png" or extension == ".gif" or
         extension == ".txt" or extension == ".csv" or extension == ".hl7" or extension == ".dcm" or extension == ".xml" or
         extension == ".json" or extension == ".doc" or extension == ".docx" or extension == ".xls" or extension == ".xlsx")
}

rule Labward_Double_Ending
{
    meta:
        description = "a name that ends like a document and then like a program"
        author = "Labward"
        score = 70
    condition:
        filename matches /\.(pdf|docx?|xlsx?|pptx?|jpe?g|png|tiff?|txt|csv|hl7|dcm)[ _]{0,80}\.(exe|scr|com|pif|bat|cmd|js|jse|vbs|vbe|wsf|hta|lnk|msi|ps1|jar|cpl)$/i
}
