//! Made-up FHIR R4 resources of a laboratory, to train a dictionary on: the shapes of the
//! specification, the code systems of the field, and random values.
//!
//! It must never hold anything of a real person or of somebody's test data.

/// How many resources are made of each shape.
const EACH: u64 = 60;

/// Resources as JSON, `$` and a letter where a value is put: `$u` a UUID, `$d` a date, `$t` a time,
/// `$n` a number, `$f` a number with decimals, `$i` a long number, `$w` a word, `$l` one of [`LOINC`],
/// `$s` one of [`SNOMED`].
const SHAPES: &[&str] = &[
    r#"{"resourceType":"Patient","id":"$u","meta":{"versionId":"1","lastUpdated":"$t","profile":["http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient"]},"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">$w</div>"},"extension":[{"url":"http://hl7.org/fhir/us/core/StructureDefinition/us-core-race","extension":[{"url":"ombCategory","valueCoding":{"system":"urn:oid:2.16.840.1.113883.6.238","code":"2106-3","display":"White"}},{"url":"text","valueString":"White"}]},{"url":"http://hl7.org/fhir/us/core/StructureDefinition/us-core-ethnicity","extension":[{"url":"ombCategory","valueCoding":{"system":"urn:oid:2.16.840.1.113883.6.238","code":"2186-5","display":"Not Hispanic or Latino"}},{"url":"text","valueString":"Not Hispanic or Latino"}]},{"url":"http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName","valueString":"$w $w"},{"url":"http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex","valueCode":"F"}],"identifier":[{"use":"usual","type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MR","display":"Medical Record Number"}],"text":"Medical Record Number"},"system":"urn:oid:$i","value":"$i"},{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"SS","display":"Social Security Number"}],"text":"Social Security Number"},"system":"http://hl7.org/fhir/sid/us-ssn","value":"$i"}],"active":true,"name":[{"use":"official","family":"$w","given":["$w"],"prefix":["Ms."]}],"telecom":[{"system":"phone","value":"$i","use":"home"},{"system":"email","value":"$w@example.org"}],"gender":"female","birthDate":"$d","deceasedDateTime":"$t","address":[{"use":"home","line":["$n $w"],"city":"$w","state":"MA","postalCode":"$n","country":"US"}],"maritalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-MaritalStatus","code":"M","display":"Married"}],"text":"Married"},"multipleBirthBoolean":false,"communication":[{"language":{"coding":[{"system":"urn:ietf:bcp:47","code":"en-US","display":"English"}],"text":"English"}}],"managingOrganization":{"reference":"Organization/$u"}}"#,
    r#"{"resourceType":"Observation","id":"$u","meta":{"profile":["http://hl7.org/fhir/us/core/StructureDefinition/us-core-observation-lab"]},"status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory","display":"laboratory"}]}],"code":{"coding":[{"system":"http://loinc.org",$l}]},"subject":{"reference":"urn:uuid:$u"},"encounter":{"reference":"urn:uuid:$u"},"effectiveDateTime":"$t","issued":"$t","performer":[{"reference":"Organization/$u","display":"$w"}],"valueQuantity":{"value":$f,"unit":"mg/dL","system":"http://unitsofmeasure.org","code":"mg/dL"},"interpretation":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation","code":"N","display":"Normal"}],"text":"Normal"}],"referenceRange":[{"low":{"value":$f,"unit":"mg/dL","system":"http://unitsofmeasure.org","code":"mg/dL"},"high":{"value":$f,"unit":"mg/dL","system":"http://unitsofmeasure.org","code":"mg/dL"}}],"specimen":{"reference":"Specimen/$u"}}"#,
    r#"{"resourceType":"Observation","id":"$u","status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs","display":"vital-signs"}]}],"code":{"coding":[{"system":"http://loinc.org",$l}],"text":"$w"},"subject":{"reference":"Patient/$u"},"encounter":{"reference":"Encounter/$u"},"effectiveDateTime":"$t","issued":"$t","valueQuantity":{"value":$f,"unit":"10*3/uL","system":"http://unitsofmeasure.org","code":"10*3/uL"}}"#,
    r#"{"resourceType":"Observation","id":"$u","meta":{"profile":["http://hl7.org/fhir/us/core/StructureDefinition/us-core-vital-signs"]},"status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"survey","display":"survey"}]}],"code":{"coding":[{"system":"http://loinc.org",$l}]},"subject":{"reference":"urn:uuid:$u"},"encounter":{"reference":"urn:uuid:$u"},"effectiveDateTime":"$t","issued":"$t","valueCodeableConcept":{"coding":[{"system":"http://snomed.info/sct",$s}]},"component":[{"code":{"coding":[{"system":"http://loinc.org",$l}]},"valueQuantity":{"value":$n,"unit":"mm[Hg]","system":"http://unitsofmeasure.org","code":"mm[Hg]"}},{"code":{"coding":[{"system":"http://loinc.org",$l}]},"valueQuantity":{"value":$n,"unit":"{score}","system":"http://unitsofmeasure.org","code":"{score}"}}]}"#,
    r#"{"resourceType":"DiagnosticReport","id":"$u","meta":{"profile":["http://hl7.org/fhir/us/core/StructureDefinition/us-core-diagnosticreport-lab"]},"identifier":[{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"FILL"}]},"system":"urn:oid:$i","value":"$i"}],"basedOn":[{"reference":"ServiceRequest/$u"}],"status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0074","code":"LAB","display":"Laboratory"}]}],"code":{"coding":[{"system":"http://loinc.org",$l}],"text":"$w"},"subject":{"reference":"urn:uuid:$u"},"encounter":{"reference":"urn:uuid:$u"},"effectiveDateTime":"$t","issued":"$t","performer":[{"reference":"urn:uuid:$u","display":"$w"}],"specimen":[{"reference":"Specimen/$u"}],"result":[{"reference":"urn:uuid:$u","display":"$w"},{"reference":"urn:uuid:$u","display":"$w"},{"reference":"urn:uuid:$u","display":"$w"}],"presentedForm":[{"contentType":"text/plain; charset=utf-8","data":"$u"}]}"#,
    r#"{"resourceType":"Specimen","id":"$u","identifier":[{"system":"urn:oid:$i","value":"$i"}],"accessionIdentifier":{"system":"urn:oid:$i","value":"$i"},"status":"available","type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0487","code":"BLD","display":"Whole blood"}]},"subject":{"reference":"Patient/$u"},"receivedTime":"$t","collection":{"collectedDateTime":"$t","bodySite":{"coding":[{"system":"http://snomed.info/sct",$s}]}}}"#,
    r#"{"resourceType":"ServiceRequest","id":"$u","status":"completed","intent":"order","category":[{"coding":[{"system":"http://snomed.info/sct",$s}]}],"priority":"routine","code":{"coding":[{"system":"http://loinc.org",$l}]},"subject":{"reference":"Patient/$u"},"encounter":{"reference":"Encounter/$u"},"authoredOn":"$t","requester":{"reference":"Practitioner/$u","display":"$w"},"reasonReference":[{"reference":"Condition/$u"}]}"#,
    r#"{"resourceType":"Encounter","id":"$u","meta":{"profile":["http://hl7.org/fhir/us/core/StructureDefinition/us-core-encounter"]},"identifier":[{"use":"official","system":"urn:oid:$i","value":"$u"}],"status":"finished","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB"},"type":[{"coding":[{"system":"http://snomed.info/sct",$s}],"text":"$w"}],"subject":{"reference":"urn:uuid:$u","display":"$w"},"participant":[{"type":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ParticipationType","code":"PPRF","display":"primary performer"}],"text":"primary performer"}],"period":{"start":"$t","end":"$t"},"individual":{"reference":"Practitioner?identifier=http://hl7.org/fhir/sid/us-npi|$i","display":"Dr. $w $w"}}],"period":{"start":"$t","end":"$t"},"reasonCode":[{"coding":[{"system":"http://snomed.info/sct",$s}]}],"location":[{"location":{"reference":"Location/$u","display":"$w"}}],"serviceProvider":{"reference":"Organization/$u","display":"$w"}}"#,
    r#"{"resourceType":"Condition","id":"$u","meta":{"profile":["http://hl7.org/fhir/us/core/StructureDefinition/us-core-condition"]},"clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]},"verificationStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-ver-status","code":"confirmed"}]},"category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-category","code":"encounter-diagnosis","display":"Encounter Diagnosis"}]}],"code":{"coding":[{"system":"http://snomed.info/sct",$s}],"text":"$w"},"subject":{"reference":"urn:uuid:$u"},"encounter":{"reference":"urn:uuid:$u"},"onsetDateTime":"$t","abatementDateTime":"$t","recordedDate":"$t"}"#,
    r#"{"resourceType":"Procedure","id":"$u","meta":{"profile":["http://hl7.org/fhir/us/core/StructureDefinition/us-core-procedure"]},"status":"completed","code":{"coding":[{"system":"http://snomed.info/sct",$s}],"text":"$w"},"subject":{"reference":"urn:uuid:$u"},"encounter":{"reference":"urn:uuid:$u"},"performedPeriod":{"start":"$t","end":"$t"},"location":{"reference":"Location/$u","display":"$w"},"reasonReference":[{"reference":"urn:uuid:$u","display":"$w"}]}"#,
    r#"{"resourceType":"Immunization","id":"$u","status":"completed","vaccineCode":{"coding":[{"system":"http://hl7.org/fhir/sid/cvx","code":"$n","display":"$w"}],"text":"$w"},"patient":{"reference":"urn:uuid:$u"},"encounter":{"reference":"urn:uuid:$u"},"occurrenceDateTime":"$t","primarySource":true,"location":{"reference":"Location/$u","display":"$w"}}"#,
    r#"{"resourceType":"MedicationRequest","id":"$u","status":"active","intent":"order","medicationCodeableConcept":{"coding":[{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"$n","display":"$w"}],"text":"$w"},"subject":{"reference":"urn:uuid:$u"},"encounter":{"reference":"urn:uuid:$u"},"authoredOn":"$t","requester":{"reference":"Practitioner/$u","display":"$w"},"reasonReference":[{"reference":"urn:uuid:$u"}],"dosageInstruction":[{"sequence":1,"text":"$w","timing":{"repeat":{"frequency":1,"period":1,"periodUnit":"d"}},"asNeededBoolean":false,"doseAndRate":[{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/dose-rate-type","code":"ordered","display":"Ordered"}]},"doseQuantity":{"value":1}}]}]}"#,
    r#"{"resourceType":"Claim","id":"$u","status":"active","type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/claim-type","code":"institutional"}]},"use":"claim","patient":{"reference":"urn:uuid:$u","display":"$w"},"billablePeriod":{"start":"$t","end":"$t"},"created":"$t","provider":{"reference":"Organization/$u","display":"$w"},"priority":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/processpriority","code":"normal"}]},"diagnosis":[{"sequence":1,"diagnosisReference":{"reference":"urn:uuid:$u"}}],"insurance":[{"sequence":1,"focal":true,"coverage":{"display":"$w"}}],"item":[{"sequence":1,"productOrService":{"coding":[{"system":"http://snomed.info/sct",$s}],"text":"$w"},"encounter":[{"reference":"urn:uuid:$u"}]},{"sequence":2,"diagnosisSequence":[1],"procedureSequence":[1],"productOrService":{"coding":[{"system":"http://snomed.info/sct",$s}],"text":"$w"},"net":{"value":$f,"currency":"USD"}}],"total":{"value":$f,"currency":"USD"}}"#,
    r#"{"resourceType":"ExplanationOfBenefit","id":"$u","contained":[{"resourceType":"Coverage","id":"coverage","status":"active","type":{"text":"$w"},"beneficiary":{"reference":"urn:uuid:$u"},"payor":[{"display":"$w"}]}],"identifier":[{"system":"urn:oid:$i","value":"$u"}],"status":"active","type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/claim-type","code":"professional"}]},"use":"claim","patient":{"reference":"urn:uuid:$u"},"billablePeriod":{"start":"$t","end":"$t"},"created":"$t","insurer":{"display":"$w"},"provider":{"reference":"Practitioner/$u"},"outcome":"complete","careTeam":[{"sequence":1,"provider":{"reference":"Practitioner/$u"},"role":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/claimcareteamrole","code":"primary","display":"Primary Care Practitioner"}]}}],"insurance":[{"focal":true,"coverage":{"reference":"coverage","display":"$w"}}],"item":[{"sequence":1,"category":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/ex-benefitcategory","code":"1","display":"Medical Care"}]},"productOrService":{"coding":[{"system":"http://snomed.info/sct",$s}],"text":"$w"},"servicedPeriod":{"start":"$t","end":"$t"},"adjudication":[{"category":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/adjudication","code":"submitted","display":"Submitted Amount"}]},"amount":{"value":$f,"currency":"USD"}}]}],"total":[{"category":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/adjudication","code":"submitted","display":"Submitted Amount"}],"text":"Submitted Amount"},"amount":{"value":$f,"currency":"USD"}}],"payment":{"amount":{"value":$f,"currency":"USD"}}}"#,
    r#"{"resourceType":"Practitioner","id":"$u","meta":{"profile":["http://hl7.org/fhir/us/core/StructureDefinition/us-core-practitioner"]},"identifier":[{"system":"http://hl7.org/fhir/sid/us-npi","value":"$i"}],"active":true,"name":[{"family":"$w","given":["$w"],"prefix":["Dr."]}],"telecom":[{"system":"email","value":"$w@example.org","use":"work"}],"address":[{"line":["$n $w"],"city":"$w","state":"MA","postalCode":"$n","country":"US"}],"gender":"female"}"#,
    r#"{"resourceType":"Organization","id":"$u","meta":{"profile":["http://hl7.org/fhir/us/core/StructureDefinition/us-core-organization"]},"identifier":[{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"CLIA"}]},"system":"urn:oid:2.16.840.1.113883.4.7","value":"$i"}],"active":true,"type":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/organization-type","code":"prov","display":"Healthcare Provider"}],"text":"Healthcare Provider"}],"name":"$w","telecom":[{"system":"phone","value":"$i"}],"address":[{"line":["$n $w"],"city":"$w","state":"MA","postalCode":"$n","country":"US"}]}"#,
];

/// Codes of common laboratory tests, as they stand in LOINC.
const LOINC: &[&str] = &[
    r#""code":"6690-2","display":"Leukocytes [#/volume] in Blood by Automated count""#,
    r#""code":"789-8","display":"Erythrocytes [#/volume] in Blood by Automated count""#,
    r#""code":"718-7","display":"Hemoglobin [Mass/volume] in Blood""#,
    r#""code":"4544-3","display":"Hematocrit [Volume Fraction] of Blood by Automated count""#,
    r#""code":"777-3","display":"Platelets [#/volume] in Blood by Automated count""#,
    r#""code":"2339-0","display":"Glucose [Mass/volume] in Blood""#,
    r#""code":"2160-0","display":"Creatinine [Mass/volume] in Serum or Plasma""#,
    r#""code":"2951-2","display":"Sodium [Moles/volume] in Serum or Plasma""#,
    r#""code":"2823-3","display":"Potassium [Moles/volume] in Serum or Plasma""#,
    r#""code":"4548-4","display":"Hemoglobin A1c/Hemoglobin.total in Blood""#,
    r#""code":"2093-3","display":"Cholesterol [Mass/volume] in Serum or Plasma""#,
    r#""code":"58410-2","display":"CBC panel - Blood by Automated count""#,
];

/// Concepts of SNOMED CT that laboratories meet.
const SNOMED: &[&str] = &[
    r#""code":"108252007","display":"Laboratory procedure""#,
    r#""code":"396550006","display":"Blood test""#,
    r#""code":"185345009","display":"Encounter for symptom""#,
    r#""code":"162673000","display":"General examination of patient (procedure)""#,
    r#""code":"44054006","display":"Diabetes mellitus type 2 (disorder)""#,
    r#""code":"38341003","display":"Hypertensive disorder, systemic arterial (disorder)""#,
    r#""code":"260385009","display":"Negative""#,
    r#""code":"10828004","display":"Positive""#,
];

/// All resources, in three ways of writing JSON.
pub(super) fn samples() -> Vec<Vec<u8>> {
    let mut random = Random(1);
    let mut samples = Vec::new();
    for number in 0..EACH {
        for shape in SHAPES {
            let compact = random.fill(shape);
            samples.push(match number % 3 {
                0 => compact.into_bytes(),
                1 => indented(&compact, 0).into_bytes(),
                // As it stands inside a bundle.
                _ => indented(&compact, 2).into_bytes(),
            });
        }
    }
    samples
}

/// The same numbers every time: the dictionary can be made again.
struct Random(u64);

impl Random {
    /// The next of a linear congruential sequence (Knuth's MMIX constants), its better half.
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }

    fn fill(&mut self, shape: &str) -> String {
        let mut parts = shape.split('$');
        let mut filled = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let kind = part.chars().next().unwrap_or(' ');
            filled.push_str(&self.value(kind));
            filled.push_str(part.get(1..).unwrap_or_default());
        }
        filled
    }

    fn value(&mut self, kind: char) -> String {
        let pick = |random: &mut Self, from: &[&str]| {
            let at = random.next(u64::try_from(from.len()).unwrap_or(1));
            from.get(usize::try_from(at).unwrap_or(0))
                .map_or_else(String::new, |one| (*one).to_owned())
        };
        match kind {
            'd' => format!(
                "{}-{:02}-{:02}",
                1930 + self.next(95),
                1 + self.next(12),
                1 + self.next(28)
            ),
            't' => format!(
                "{}T{:02}:{:02}:{:02}{}",
                self.value('d'),
                self.next(24),
                self.next(60),
                self.next(60),
                pick(self, &["-05:00", "+00:00", ".000Z"])
            ),
            'n' => self.next(10_000).to_string(),
            'f' => format!("{}.{}", self.next(300), self.next(1_000_000)),
            'i' => format!("{}{:06}", 1 + self.next(999_999), self.next(1_000_000)),
            'l' => pick(self, LOINC),
            's' => pick(self, SNOMED),
            'u' => format!(
                "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
                self.next(1 << 31),
                self.next(1 << 16),
                self.next(1 << 16),
                self.next(1 << 16),
                self.next(1 << 31)
            ),
            _ => {
                let letters = 4 + self.next(8);
                (0..letters)
                    .map(|_| char::from(b'a' + u8::try_from(self.next(26)).unwrap_or(0)))
                    .collect()
            }
        }
    }
}

/// Compact JSON as servers of the field indent it: two blanks a level, `[ {` on one line.
fn indented(compact: &str, level: usize) -> String {
    let mut out = String::new();
    let (mut level, mut in_text, mut escaped) = (level, false, false);
    let line = |out: &mut String, level: usize| {
        out.push('\n');
        out.push_str(&"  ".repeat(level));
    };
    for c in compact.chars() {
        if in_text {
            out.push(c);
            in_text = escaped || c != '"';
            escaped = !escaped && c == '\\';
            continue;
        }
        match c {
            '{' => {
                out.push(c);
                level += 1;
                line(&mut out, level);
            }
            '}' => {
                level = level.saturating_sub(1);
                line(&mut out, level);
                out.push(c);
            }
            '[' => out.push_str("[ "),
            ']' => out.push_str(" ]"),
            ':' => out.push_str(": "),
            ',' if out.ends_with('}') => out.push_str(", "),
            ',' => {
                out.push(c);
                line(&mut out, level);
            }
            '"' => {
                in_text = true;
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_is_json_of_a_resource() {
        let samples = samples();
        assert_eq!(samples.len(), SHAPES.len() * usize::try_from(EACH).unwrap());
        for sample in &samples {
            let value: serde_json::Value = serde_json::from_slice(sample).unwrap();
            assert!(value["resourceType"].is_string());
        }
        assert_eq!(samples, super::samples(), "the same every time");
    }

    #[test]
    fn indented_json_looks_as_servers_write_it() {
        let text = indented(r#"{"a":[{"b":"x,{"}],"c":1}"#, 0);
        let expected = "{\n  \"a\": [ {\n    \"b\": \"x,{\"\n  } ],\n  \"c\": 1\n}";
        assert_eq!(text, expected);
    }
}
