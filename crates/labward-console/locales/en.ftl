# Frame
app = Labward
skip = Skip to the content
nav-main = Main
nav-home = Home
nav-flow = Flow
nav-messages = Messages
nav-records = Records
nav-ledger = Ledger
nav-people = People
nav-settings = Settings
nav-me = My account
sign-out = Sign out
switch-person = Switch person
sealed-now = Sealed: the root key is not open, so nothing is received or delivered. Open it on the server with labward key unseal.
failing-now = The ledger cannot be written. Nothing is accepted; records can be read by emergency access only.
unknown = –
yes = yes
why = Why
why-help = Recorded in the ledger. At most 1,000 characters.
go-on = Go on
back = Back
of-size = { $count ->
    [one] { $count } byte
   *[other] { $count } bytes
  }
time = Time
state = State
name = Name
kind = Kind
older = Older
newer = Newer
none-yes = Nothing here.

# Sign-in
session-title = Are you still there?
session-idle = Nobody has used this page for a while. If you do not stay, the session ends, the page leaves the screen, and what was typed and not sent is lost.
session-absolute = This session has lasted as long as a session may and cannot be prolonged. Send what you have typed, or sign in anew first.
session-ends-at = It ends at
session-stay = Stay signed in
session-go-on = Go on until then
session-failed = The server does not answer. Try again.
session-over = The session has ended
session-over-help = What was on this page is covered. Sign in to go on.
session-no-script = { $count ->
    [one] Without scripts there is no warning: this page leaves the screen when it was not used for one minute, and what was not sent is lost.
   *[other] Without scripts there is no warning: this page leaves the screen when it was not used for { $count } minutes, and what was not sent is lost.
}
sign-in-title = Sign in
sign-in-login = Sign-in name
sign-in-password = Password
sign-in-button = Sign in
sign-in-provider = Sign in with { $name }
sign-in-help = No way in, or the password is forgotten? Ask your administrator for an invitation.
join-title = Welcome to { $lab }
join-lead = Choose the name with which you sign in, and a password.
join-code = Code of the invitation
join-login-help = 3 to 64 lower-case letters, digits and . _ - @
join-password-help = At least 15 characters. A sentence that only you would say is good. Pasting and password managers are welcome.
join-again = The password once more
join-button = Save and sign in
join-different = The two passwords differ.

# Home
home-title = Home
home-todo = What needs a person now
home-installation = What is wrong with this installation
home-nothing = Nothing is wrong with this installation. { $count } things were looked at.
home-unmeasured = { $count ->
    [one] { $count } thing could not be measured, which is never taken for good
   *[other] { $count } things could not be measured, which is never taken for good
  }
home-held = { $count ->
    [one] { $count } message is held and waits for a decision
   *[other] { $count } messages are held and wait for a decision
  }
home-analyzer = No message has come yet: connect the first analyzer
home-analyzer-button = Connect it
home-held-button = Decide
home-dead = { $count ->
    [one] { $count } message could not be delivered
   *[other] { $count } messages could not be delivered
  }
home-dead-button = Look at them
home-flow = Messages now
home-accepted = accepted since the start
home-waiting = waiting for delivery
home-delivered = delivered since the start
home-entries = entries in the ledger
harm-high = High
harm-medium = Medium
harm-low = Low

# Flow
flow-title = Flow
flow-map = From devices through Labward to receivers
flow-links = Links in
flow-destinations = Destinations out
flow-witnesses = Witnesses
flow-protocol = Protocol
flow-encrypted = Encrypted
flow-mutual-tls = mutual TLS
flow-plain = not encrypted
flow-age = encrypted file
flow-address = Address
flow-connections = Connections
flow-accepted = Accepted
flow-held = Held
flow-duplicates = Duplicates
flow-refused = Refused
flow-last = Last message
flow-delivered = Delivered
flow-waiting = Waiting
flow-dead = Dead letters
flow-oldest = Oldest waiting
flow-certificate = Certificate until
flow-error = Last fault
flow-resume = Let it go on
flow-cosigned = Cosigned
flow-size = Entries
flow-webhooks = Webhooks
flow-host = Host
flow-taken = Last taken
flow-next-attempt = Next attempt
flow-test = Send a test event
state-up = up
state-down = down
state-stopped = stopped
state-idle = idle
state-leaving = leaving
state-cosigned = cosigned
state-failing = failing
state-not-asked = not asked yet
state-ready = ready
state-no-secret = no secret yet
state-refused = refused: it holds another history
state-received = received
state-held = held
state-released = released
state-rejected = rejected
state-waiting = waiting
state-retrying = retrying
state-blocked = blocked
state-dead = dead
state-delivered = delivered
state-active = active
state-revoked = revoked

# Messages
messages-title = Messages
messages-all = All
messages-link = Link
messages-peer = From
messages-type = Type
messages-size = Size
messages-deliveries = Where it goes
messages-reason = Reason
messages-none = No message fits.
messages-help = What came in over the links, the newest first. The list holds no patient data.
message-title = Message { $record }
message-entry = Ledger entry
message-destination = Destination
message-attempts = Attempts
message-content = Look at its content
message-content-help = Looking is recorded in the ledger, with your reason.
message-release = Release
message-release-help = Has it delivered as it is.
message-reject = Reject
message-reject-help = It goes nowhere; it stays sealed as it came.
message-resend = Send again
message-resend-help = Sends it once more to every destination.
message-skip = Give it up
message-skip-help = It is not delivered there; what waits behind it for the same patient goes on.
message-decide = Decide
message-path = Its path
message-path-more = There may be more: look in the ledger.
step-message-received = received
step-message-held = received and held
step-message-released = released
step-message-rejected = rejected
step-message-delivered = delivered
step-message-delivery-failed = delivery failed
step-message-dead = given up
step-message-resent = sent again
step-record-shown = looked at
step-record-exported = copied out
step-record-imported = taken in from a file
step-message-duplicate = came again
step-message-refused = refused
step-message-forwarded = taken by the server

# Records
records-title = Records
records-lead = Give the reason first, then search by any of these: hits come while you type a name or a whole birth date, and with Enter. They are masked, and every search is recorded with its reason.
records-mrn = Patient number (MRN)
records-authority = Assigned by
records-name = Name
records-name-help = From three letters on while you type; the beginning is enough, typing errors are tolerated.
records-birth = Birth date
records-birth-help = YYYY-MM-DD, YYYY-MM or YYYY
records-accession = Accession number
records-search = Search
records-loading = Not everything can be found yet, after a start or a large import: hits may be missing. Search again in a moment.
records-none = Nobody fits. Check the spelling, or search by another field.
records-unasked = The search could not be made: the server does not answer. Press Search to try again.
records-hits = { $count ->
    [one] { $count } patient
   *[other] { $count } patients
  }
records-born = born { $year }
records-count = { $count ->
    [one] { $count } record
   *[other] { $count } records
  }
records-view = View
records-entry = This search is entry { $entry } of the ledger.
records-reserve = This search stands in the reserve as number { $number } until the ledger can be written.
records-break-glass = Emergency access: the patient cannot wait
records-break-glass-help = Works also while the ledger cannot be written. It is kept apart and reviewed afterwards.
record-title = Record { $record }
record-read = This reading is entry { $entry } of the ledger.
record-read-reserve = This reading stands in the reserve as number { $number } until the ledger can be written.
record-report = Laboratory report
record-patient = Patient
record-birth = Birth date
record-sex = Sex
record-id = Patient number
record-order = Order
record-test = Test
record-value = Result
record-unit = Unit
record-range = Reference range
record-flag = Flag
record-status = Status
record-observed = Observed
record-earlier = Earlier values
record-earlier-read = { $count ->
    [one] The earlier values come from one older record, which was read, too; all values stand under All results.
   *[other] The earlier values come from { $count } older records, which were read, too; all values stand under All results.
  }
record-earlier-more = { $count ->
    [one] and one more
   *[other] and { $count } more
  }
record-segments = Segments
record-field = Field
record-content = Content
record-raw = As it was kept
kind-hl7-v2 = HL7 v2 message
kind-astm = ASTM message
kind-fhir-resource = FHIR resource
kind-document = document

# All results of a patient
patient-all = All results
patient-title = All results
patient-also = Also known as
patient-number = Number in Labward
patient-read = { $count ->
    [one] { $count } record was read.
   *[other] { $count } records were read.
  }
patient-unread = { $count ->
    [one] { $count } older record is not in this table. Look at it in the search.
   *[other] { $count } older records are not in this table. Look at them in the search.
  }
patient-unopened = These records could not be opened, so what is in them is missing here: { $records }
patient-none = These records hold no results.
patient-cumulative = Cumulative results
patient-cumulative-help = Values as they were sent. A test whose unit changed, or whose code is a laboratory's own, has a line for each. Times are those of the observation.
patient-older = Older values stand below, with each test.
patient-each = Each test over time
patient-plot-help = The shaded band is the reference range. A diamond is a value out of its range; a triangle says that the value lies above or below the limit that was sent. What is no plain number is not drawn.
patient-plot = { $test } { $unit }: { $count } values from { $first } to { $last }, between { $low } and { $high }, the ends of the reference range included.
patient-values = { $count ->
    [one] { $count } value
   *[other] { $count } values
  }
patient-corrected = corrected
patient-before = Before: { $values }
patient-withdrawn = taken back
patient-kept = (when it was received)
flag-A = abnormal
flag-AA = critically abnormal
flag-H = high
flag-HH = critically high
flag-L = low
flag-LL = critically low
flag-N = normal

# Who looked at a patient's records
accesses-button = Who looked at this patient
accesses-title = Who looked at these records
accesses-lead = Everyone who received these health records, saw them or was given them, as this laboratory's ledger has it.
accesses-lab = Laboratory
accesses-from = From
accesses-to = To
accesses-show = Show
accesses-who = Who
accesses-what = What was done
accesses-records = Records
accesses-system = Automatically
accesses-came-from = from { $name }
accesses-went-to = to { $name }
accesses-emergency = in an emergency
accesses-none-yet = Nothing in this part of the time.
accesses-more = This list is not complete: it has not yet looked at what stands before entry { $entry }.
accesses-complete = The list is complete for this time.
accesses-covers = It names every time, also for treatment, payment and the laboratory's own work, which the law does not ask for (45 CFR 164.528). What others did with what they were given is not known here.
accesses-entry = That this list was made is entry { $entry } of the ledger.
access-list-exported = A list of this patient was copied out
access-message-received = Results or an order came in
access-message-held = Results or an order came in and waited for somebody to check them
access-message-delivered = Results were sent
access-message-resent = Somebody had results sent again
access-patient-accounted = A list like this one was made
access-patient-disposed = The records were destroyed
access-record-exported = Records were copied out
access-record-imported = Records were taken in from a file
access-record-searched = Somebody searched, and this patient was among what was found
access-record-shown = Somebody looked at the records

# Ledger
ledger-title = Ledger
ledger-lead = Every act is one entry. What identifies a patient stays sealed.
ledger-entry = Entry
ledger-actor = Who
ledger-action = What
ledger-subject = About
ledger-outcome = Outcome
ledger-facts = Facts
ledger-verify = Verify
ledger-verify-help = Reads every row, tile and checkpoint again and compares the witnesses' word. With a million entries it takes a few seconds.
ledger-good = The ledger is sound.
ledger-bad = The ledger is not sound. Do not restart anything; call the security officer.
ledger-checked = { $count ->
    [one] { $count } entry was read again and hashed.
   *[other] { $count } entries were read again and hashed.
  }
ledger-root = Root hash
ledger-faults = What is wrong, and where
ledger-witnesses = What the witnesses say
ledger-no-witness = No witness was asked: that there is no second history is not shown by this.
ledger-export = Export for an outside expert
ledger-export-help = A bundle that verifies offline with labward ledger verify. The export is itself an entry.
ledger-actor-help = person:3, peer:7, system; person: for every person
ledger-action-help = record.shown; record. for everything that was done to records
ledger-subject-help = record:42, destination:EHR; finding: for every finding
ledger-patient = Patient
ledger-patient-help = The number in Labward
ledger-any = any
ledger-filter = Show
ledger-looked = { $count ->
    [one] { $count } entry was looked at.
   *[other] { $count } entries were looked at.
  }
ledger-not-all = There may be more further on.
ledger-all = That is all there is.
ledger-newest = Newest
outcome-success = done
outcome-refused = refused
outcome-failed = failed
entry-title = Entry { $entry }
entry-payload = SHA-256 of the sealed record
entry-sealed = Who, why and what was asked
entry-sealed-yes = sealed
entry-proof = Save its proof
entry-proof-help = A C2SP tlog-proof: with the ledger's public key it shows anybody that this entry stands in the ledger.

# People
people-title = People
people-lead = Who may use Labward, and as what. Each sees only what the role permits.
people-role = Roles
people-login = Sign-in name
people-account = Account on the server
people-add = Add a colleague
people-add-button = Add
people-invite = Invite
people-invite-title = Invitation for { $name }
people-invite-lead = Give this link to { $name } and to nobody else. It works once, until { $until }, and is shown only now.
people-remove = Deactivate
people-remove-help = Ends every session at once. The name stays in the ledger.
accounts-title = Accounts at { $name }
accounts-lead = Who signs in there is the person their account is linked to, with the roles of their groups there.
accounts-none = No account is linked yet.
accounts-account = E-mail address or user name there
accounts-subject = Known there as
accounts-expected = not signed in yet
accounts-used = Last sign-in
accounts-issuer = Vouched for by
accounts-mine-none = No account there is linked to you. An administrator links it.
accounts-sign-out = Signing out here does not sign you out there. On a shared bench, sign out there, too.
accounts-link = Link the account
accounts-unlink = Unlink
accounts-unlink-help = Ends every session at once. The account lets nobody in until it is linked again.
people-sessions = Sessions
people-sessions-none = Nobody is signed in to the console.
people-source = From
people-device = Browser
people-began = Since
people-seen = Last seen
people-end = End
role-administrator = Administrator
role-security-officer = Security officer
role-lab-manager = Lab manager
role-clinical-staff = Clinical staff
role-it = IT
role-expert = Outside expert

# Settings
settings-title = Settings
settings-lead = The configuration is the file labward.toml on the server. Here you edit what may change while the lab works, and see what a reload of the file would change.
settings-same = The file is what is in force. There is nothing to reload.
settings-changes = What a reload changes
settings-table = Table
settings-key = Key
settings-old = Now
settings-new = Then
settings-restart = needs a restart
settings-reload = Put it in force
settings-refused = A reload would be refused:
settings-about = About this installation
settings-version = Version
settings-started = Started

# My account
me-title = My account
me-language = Language
me-theme = Appearance
me-save = Save
theme-auto = As the device
theme-light = Light
theme-dark = Dark
language-auto = As the browser
me-sessions = Where you are signed in
me-this = this one
me-roles = Your roles
passkey-title = Passkeys
passkey-lead = With a passkey you sign in by fingerprint, face, PIN or security key, without typing name or password.
passkey-none = You have no passkey yet.
passkey-name = What you call it
passkey-name-help = Such as the device that it lies on: blue key on my key ring
passkey-for = Works at
passkey-created = Added
passkey-used = Last used
passkey-never = never
passkey-remove = Remove
passkey-confirm = Your password, to confirm that it is you
passkey-where = It will work where the console is opened as { $name }, and nowhere else.
passkey-need-name = Passkeys need a DNS name, and this console is set up by an address. Whoever runs it puts its name first in names of [tls] in labward.toml; until then you sign in with your password.
passkey-add = Add a passkey
passkey-add-lead = Your browser asks for your device now. Follow what it shows.
passkey-sign-in = Sign in with a passkey
passkey-sign-in-lead = Your browser asks for your passkey now. No name is needed.
passkey-ask = Ask again
passkey-no-script = Passkeys need JavaScript, which this browser does not run here. Your name and password work all the same.
passkey-elsewhere = Passkeys work only where the console is opened as { $name }. You have opened it by another address.
passkey-unsupported = This browser cannot use passkeys here. Your name and password work all the same.
passkey-known = This device has a passkey of yours already.
passkey-nothing = No passkey came: it was cancelled, took too long, there is none on this device, or the browser does not trust the certificate of this page.
passkey-to-account = Back to my account
passkey-to-password = Sign in with name and password

# Done
done-released = Released: it is being delivered.
done-rejected = Rejected: it goes nowhere.
done-resent = It is being sent again.
done-skipped = Given up; what waited behind it goes on.
done-resumed = The destination goes on.
done-webhook-resumed = The webhook goes on.
done-webhook-taken = The receiver took the test event.
done-webhook-not-taken = The receiver did not take the test event. What it answered stands under Last fault.
done-added = Added.
done-removed = Deactivated. Every session has ended.
done-ended = The session has ended.
done-saved = Saved.
done-reloaded = In force.
done-signed-out = You are signed out.
done-passkey-added = The passkey was added. From now on you can sign in with it.
done-passkey-removed = The passkey was removed. You can delete it on your device, too.

# Problems
problem-title = That did not work
problem-detail = Detail, as the program says it:
problem-code = Code
problem-reference = Reference for the log
problem-home = To the home page
problem-form = The form was sent from another page, or too late. Load the page again and send it once more.

# Safeguards
nav-safeguards = Safeguards
home-safeguards = Safeguards of the law
home-safeguards-line = { $not } not met, { $open } not measured, { $decided } decided otherwise, { $met } met
safeguards-title = Safeguards
safeguards-lead = Each requirement of the HIPAA Security Rule, 45 CFR 164.308 to 164.316, with its state computed from what Labward measured.
safeguards-translation = The names of the requirements are short names of ours. The law is the text of 45 CFR part 164.
safeguards-profile = Which text
safeguards-law = The rule in force
safeguards-proposed = Proposed in 2025
safeguards-not-law = This is not law.
safeguards-not-law-help = It is what the proposed rule of 6 January 2025 (90 FR 898) would ask for, as far as it can be measured. Nothing is decided about it.
safeguards-how = How to read this
safeguards-how-met = Met: everything that decides the requirement was measured and is good, for what Labward guards. Other systems of the lab are not seen.
safeguards-how-part = Not measured: at least one thing that decides it was not measured, or the facts show only a part of it. A missing measurement is never a pass.
safeguards-how-decided = Decided otherwise: a person decided, with a rationale and an end. A decision hides no bad fact, and what is required cannot be decided away.
safeguards-how-not = This page is no legal advice and no certificate.
safeguards-requirement = Requirement
safeguards-facts = Facts
safeguards-decision = Decision
safeguards-good = Holds
safeguards-bad = Fails
safeguards-unknown = Not measured
safeguards-part = These facts show only a part of it.
safeguards-no-facts = Labward measures nothing about it.
safeguards-by-specs = By its specifications
safeguards-would = would be required
safeguards-never = never
safeguards-share = { $of } of { $all }
safeguards-age = { $span } ago
safeguards-entry = entry { $number }
safeguards-person = person { $number }
safeguards-until = until { $day }
safeguards-expired = expired on { $day }
safeguards-contradicted = A measured fact stands against this decision.
safeguards-rationale-sealed = The rationale is sealed until the root key is open.
safeguards-decide = Decide
safeguards-decide-title = Decide about a requirement
safeguards-decide-lead = A decision stands in for what Labward does not measure, or says why an addressable specification is done otherwise. Your name and the rationale are recorded in the ledger.
safeguards-kind = Decision
safeguards-last-day = Last day
safeguards-last-day-help = At most 24 months ahead. After that day the decision holds no more.
safeguards-rationale = Rationale
safeguards-rationale-help = What is done, where it is written down, and why that is enough here. No patient data. At most 1,000 characters.
safeguards-back = Back
safeguards-present = The present decision
safeguards-withdraw = Take it back
decision-implemented = implemented where Labward does not measure
decision-alternative = alternative measure
decision-not-reasonable = not reasonable and appropriate
decision-does-not-apply = does not apply here
section-administrative = Administrative safeguards (164.308)
section-physical = Physical safeguards (164.310)
section-technical = Technical safeguards (164.312)
section-organizational = Organizational requirements (164.314)
section-documentation = Policies, procedures and documentation (164.316)
state-met = met
state-not-met = not met
state-not-measured = not measured
state-decided-otherwise = decided otherwise
kind-standard = standard
kind-required = required
kind-addressable = addressable
done-decided = Decided and recorded.
done-withdrawn = Taken back and recorded.
span-seconds = { $count ->
    [one] { $count } second
   *[other] { $count } seconds
}
span-minutes = { $count ->
    [one] { $count } minute
   *[other] { $count } minutes
}
span-hours = { $count ->
    [one] { $count } hour
   *[other] { $count } hours
}
span-days = { $count ->
    [one] { $count } day
   *[other] { $count } days
}
safeguard-security-management = Security management process
safeguard-risk-analysis = Risk analysis
safeguard-risk-management = Risk management: what is harmful gets done
safeguard-sanctions = Sanctions for staff who break the rules
safeguard-activity-review = Review of what the systems recorded
safeguard-security-official = A security official
safeguard-workforce-security = Workforce security
safeguard-supervision = Authorization and supervision of staff
safeguard-clearance = Clearance before access is given
safeguard-termination = End of access when somebody leaves
safeguard-access-management = Information access management
safeguard-clearinghouse = A clearinghouse kept apart from its larger organization
safeguard-access-authorization = Who is granted access
safeguard-access-changes = Access set up, reviewed and changed
safeguard-awareness = Security awareness and training
safeguard-reminders = Security reminders
safeguard-malware = Protection from malicious software
safeguard-sign-in-monitoring = Watching sign-ins
safeguard-passwords = Password management
safeguard-incidents = Security incidents
safeguard-incident-response = Response to incidents, and reports of them
safeguard-contingency = Contingency plan
safeguard-backup-plan = Data backup
safeguard-disaster-recovery = Recovery of lost data
safeguard-emergency-mode = Work goes on in an emergency
safeguard-plan-testing = The plan is tested and revised
safeguard-criticality = Which applications and data matter most
safeguard-evaluation = Evaluation, technical and other
safeguard-associates = Business associates
safeguard-written-contract = A written contract with each business associate
safeguard-facility-access = Access to the facility
safeguard-contingency-access = Access to the facility in an emergency
safeguard-facility-plan = Facility security plan
safeguard-visitor-control = Who may enter by role, and visitors
safeguard-maintenance-records = Records of repairs to doors, locks and walls
safeguard-workstation-use = What a workstation is used for, and where
safeguard-workstation-security = Workstations guarded from others
safeguard-devices-and-media = Devices and media that come and go
safeguard-disposal = Disposal of data and media
safeguard-media-reuse = Media wiped before they are used again
safeguard-media-accountability = Who moved which hardware and media
safeguard-copy-before-move = A copy before equipment is moved
safeguard-access-control = Access control
safeguard-unique-users = Unique user identification
safeguard-emergency-access = Access in an emergency
safeguard-automatic-logoff = Automatic logoff
safeguard-encryption-at-rest = Encryption of what is kept
safeguard-audit-controls = Audit controls
safeguard-integrity = Integrity
safeguard-integrity-mechanism = Proof that records were not altered
safeguard-authentication = Persons and machines are who they claim to be
safeguard-transmission = Transmission security
safeguard-transmission-integrity = Nothing is altered on its way
safeguard-transmission-encryption = Encryption of what is sent
safeguard-associate-contracts = What contracts with business associates must say
safeguard-contract-content = What a business associate promises
safeguard-other-arrangements = Other arrangements in place of a contract
safeguard-subcontractors = Contracts with subcontractors
safeguard-health-plans = Group health plans
safeguard-plan-documents = What plan documents must say
safeguard-policies = Policies and procedures
safeguard-documentation = Documentation in writing
safeguard-kept-six-years = Documentation kept for six years
safeguard-documentation-available = Documentation at hand for who needs it
safeguard-documentation-updated = Documentation reviewed and updated
safeguard-proposed-inventory = Inventory of technology assets, renewed every 12 months
safeguard-proposed-network-map = Network map, renewed every 12 months
safeguard-proposed-patches = Critical updates within 15 days, high ones within 30
safeguard-proposed-access-end = Access ended within one hour
safeguard-proposed-access-notice = Notice of ended access to others within 24 hours
safeguard-proposed-restore = Systems and data restored within 72 hours
safeguard-proposed-audit = Compliance audit every 12 months
safeguard-proposed-associates = Safeguards of business associates verified every 12 months
safeguard-proposed-unique = Unique identification of users and technology assets
safeguard-proposed-logoff = Automatic logoff
safeguard-proposed-sign-ins = Sign-in attempts limited
safeguard-proposed-segmentation = Network segmentation
safeguard-proposed-encryption = Encryption at rest and in transit
safeguard-proposed-configuration = Configuration, software and ports kept in order; anti-malware
safeguard-proposed-audit-trail = Audit trail in real time
safeguard-proposed-mfa = Multi-factor authentication
safeguard-proposed-transmission = Transmission security
safeguard-proposed-scans = Vulnerability scan every 6 months
safeguard-proposed-penetration = Penetration test every 12 months
safeguard-proposed-backup = Backups at most 48 hours old
safeguard-proposed-contingency-notice = Notice within 24 hours that a contingency plan runs
fact-access-ended = Nobody who left can still get in
fact-accounts-known = Whoever gets in is known by an account or password of their own
fact-backup-apart = The last backup lies apart from the data
fact-backup-recent = The last backup is at most two days old
fact-break-glass-roles = Somebody may read by break-glass
fact-break-glass-reviewed = A second person reviewed every emergency access in time
fact-certificates-valid = No certificate of a peer or an edge has ended
fact-checks-measured = The installation checks itself
fact-clock-kept = A time source keeps the clock
fact-disposal-complete = No key archive outlives its time
fact-files-private = Files are the server's account's alone
fact-high-findings = Nothing of high harm is wrong with the installation
fact-hits-in-time = Published vulnerabilities of devices are treated in time
fact-advisories-fresh = Advisories are held, and every source was looked into lately
fact-key-archive-recent = The newest key archive is at most two days old
fact-keys-apart = Key files lie apart from the data, for the server's account alone
fact-ledger-published = Signed checkpoints cover the ledger
fact-ledger-verified = The ledger was verified and found sound within 30 days
fact-ledger-written = The ledger is being written
fact-lines-encrypted = Every line off this machine is encrypted
fact-links-authenticated = Every peer off this machine shows its certificate
fact-malware-scanned = Whatever comes in is looked at for malware
fact-malware-rules = Malware is looked for by rules that were brought within 30 days
fact-malware-reacted = What was found to be malware is dealt with within 72 hours
fact-memory-guarded = Keys and records in memory reach no disk in clear
fact-password-rule = Passwords have at least 15 characters and are none of the common ones
fact-peers-limited = Each peer may send only what it was given
fact-people-unique = No two people share an account or a sign-in name
fact-reads-recorded = Readings and searches are recorded
fact-records-sealed = The newest records are sealed with AES-256-GCM
fact-reserve-ready = The reserve for break-glass reading is set aside
fact-restore-drilled = A restore was tried within 90 days
fact-restore-time = The last restore that was tried took at most 72 hours
fact-retention-floor = Records are kept at least as long as the law asks
fact-rights-recorded = Rights that are given and taken are recorded
fact-second-factor = Who signs in at the console shows a second factor
fact-security-officer = Somebody is security officer
fact-session-idle = A session without a request ends by itself
fact-sign-ins-refused = Refused sign-ins are slowed and recorded
fact-slots-tested = Each slot of the root key was tried within 90 days

# The configuration, edited
configuration-link = Links
configuration-destination = Destinations
configuration-route = Routes
configuration-policies = Policies
configuration-values = Values
configuration-edit = Edit
configuration-add-link = Add a link
configuration-add-destination = Add a destination
configuration-add-route = Add a route
configuration-new-link = Another link
configuration-new-destination = Another destination
configuration-new-route = Another route
configuration-one-link = Link { $name }
configuration-one-destination = Destination { $name }
configuration-one-route = Route { $name }
configuration-table-retention = Retention
configuration-table-ledger = Ledger
configuration-table-tls = Certificates
configuration-table-gateway = Gateway
configuration-table-site = The lab
configuration-table-log = Log
configuration-differs = The file on the server was edited there and is not in force. Put it in force below, or have it put back; until then nothing can be edited here.
configuration-lead = Nothing changes yet: the next page shows what would change and asks why. The file labward.toml keeps its comments and its order.
configuration-more = More settings
configuration-default = Left empty: { $value }
configuration-only = Only where “{ $key }” is { $value }.
configuration-preview = Show what would change
configuration-remove = Remove it
configuration-remove-lead = The next page shows what goes with it and asks again. Messages that came stay kept.
configuration-remove-preview = Show what removing it changes
configuration-preview-title = What will change
configuration-refused = This cannot be put in force:
configuration-stays-open = No connection closes.
configuration-closes = The link { $link } closes.
configuration-connections = { $count ->
    [one] { $count } connection ends with it.
   *[other] { $count } connections end with it.
 }
configuration-waiting = { $count ->
    [one] { $count } message waits for this destination.
   *[other] { $count } messages wait for this destination.
 }
configuration-held = { $count ->
    [one] { $count } is held.
   *[other] { $count } are held.
 }
configuration-dead = { $count ->
    [one] { $count } was given up.
   *[other] { $count } were given up.
 }
configuration-meanwhile = Meanwhile { $who } changed the configuration
configuration-meanwhile-unknown = Meanwhile the configuration was changed, and it is not known any more by whom
configuration-theirs = They changed:
configuration-both = Your change touches this, too:
configuration-merged = Your change touches none of it: below are both together.
configuration-choose = Choose: make your change over theirs, or leave theirs as it is.
configuration-mine = Show my change over theirs
configuration-theirs-stay = Leave theirs
configuration-put = Put it in force
configuration-remove-now = Remove it now
done-changed = Written into labward.toml and in force.
wrong-missing = This is needed.
wrong-name-taken = There is one of this name already.
wrong-listen-twice = Another link listens there already.
wrong-value = This does not fit here.
wrong-value-needs = This does not fit here. { $what }
expected-number = A whole number from { $least } to { $most }.
expected-number-from = A whole number from { $least }.
expected-numbers = Whole numbers from { $least } to { $most }, separated by commas.
expected-texts = Several are separated by commas.
expected-name = 1 to 64 letters, digits, -, _ or .
expected-listen = An address of this machine and a port, such as 0.0.0.0:2575.
expected-address = A host and a port, such as ehr.example:2575.
expected-day = A day, such as 2027-06-30.
field-name = Name
field-listen = Listens on
field-framing = Framing
field-peer = Peer
field-acknowledge = Acknowledges
field-same-id-other-content = Known control id, other content
field-batch = Batches are answered
field-strictness = Framing faults
field-one-connection = One connection a peer
field-authority = Assigning authority of patient ids without one
field-transport-mode = Protection of the line
field-transport-reason = Why the line is plain
field-transport-owner = Who answers for the plain line
field-transport-expires = Last day of the plain line
field-transport-from-addresses = Addresses that may connect
field-inspect-malicious = A message with malware
field-inspect-suspicious = A message with what may be malware
field-inspect-unscannable = A message that could not be looked into
field-inspect-failed = A message while nobody can look
field-limits-max-connections = Connections at most
field-limits-max-connections-per-address = Connections from one address at most
field-limits-handshake-seconds = Seconds for a handshake
field-limits-frame-seconds = Seconds for a frame
field-limits-max-message-bytes = Bytes of a message at most
field-limits-messages-per-second = Messages a second at most
field-limits-burst-messages = Messages at once at most
field-limits-noise-seconds = Seconds for noise on a plain line
field-limits-window-messages = Messages in the duplicate window
field-limits-window-days = Days of the duplicate window
field-target-kind = Kind
field-target-address = Address
field-target-framing = Framing
field-target-folder = Folder
field-target-recipient = Recipient (age public key)
field-target-transport-mode = Protection of the line
field-target-transport-server-name = Name in the receiver’s certificate
field-target-transport-spki-sha256 = SHA-256 of the receiver’s public key
field-target-transport-peer = Peer that the receiver is
field-target-transport-ca = File with the receiver’s authorities
field-target-transport-reason = Why the line is plain
field-target-transport-owner = Who answers for the plain line
field-target-transport-expires = Last day of the plain line
field-connections = Connections
field-ack-seconds = Seconds for an acknowledgement
field-connect-seconds = Seconds for a connection
field-wait-for-application-ack = Wait for the application’s acknowledgement
field-on-error = After AE or CE
field-on-reject = After AR or CR
field-on-timeout = After no answer
field-retry-first-ms = Milliseconds before the first retry
field-retry-max-ms = Milliseconds between retries at most
field-retry-max-attempts = Attempts before a dead letter (0: never)
field-retry-max-hours = Hours without an answer before a dead letter (0: never)
field-types = Message types
field-from = From peers
field-links = On links (none: all)
field-to = To destinations
field-results-years = Years for results
field-pathology-years = Years for pathology
field-publish-seconds = Seconds between checkpoints
field-alarm-days = Days before a certificate’s end that raise an alarm
field-authority-alarm-days = Days before the authority’s end that raise an alarm
field-drain-seconds = Seconds for messages in flight at a stop
field-level = Level
# The first analyzer
analyzer-connect = Connect an analyzer
analyzer-lead = What you say here opens the way for this one analyzer and for nothing else. You can leave at any time and come back: what is done stays.
analyzer-known = Analyzers that are there
analyzer-another = Connect another one
analyzer-name = What it is called in Labward
analyzer-name-help = Letters without accents, digits, - _ and . such as chem1. It stands on every page and is never changed.
analyzer-way = How it connects
analyzer-way-tls = With a certificate (TLS)
analyzer-way-tls-help = The usual way. It, or a small computer beside it, gets a file with its own certificate.
analyzer-way-loopback = Without encryption, on this machine
analyzer-way-loopback-help = Only if the analyzer's software runs on this very machine: nothing then leaves it unencrypted.
analyzer-way-edge = An analyzer elsewhere that knows no TLS gets a small computer with Labward right beside it (an edge). At a terminal of this machine:
analyzer-port = Port
analyzer-port-help = Where Labward listens. If no link listens there yet, one is opened.
analyzer-speaks = What it speaks
analyzer-hl7 = HL7 v2 over MLLP
analyzer-astm = ASTM (LIS1-A, LIS2-A2)
analyzer-application = Its application (MSH-3)
analyzer-facility = Its facility (MSH-4)
analyzer-types = What it sends (MSH-9)
analyzer-sender = Its name in ASTM (H-5)
analyzer-rules-help = It may send this and nothing else. Several are separated by commas; * at the end stands for whatever follows. If you are not sure, write what its manual says: a message that does not fit is kept, and the next page names the field.
analyzer-authority = Whose patient numbers it sends (optional)
analyzer-authority-help = The assigning authority where a message names none, such as MAINLAB.
analyzer-go = Open the way
analyzer-later = Later
analyzer-recorded = Connect the analyzer { $name }
analyzer-title = Connect { $name }
analyzer-no-link = No link fits this analyzer. Open one under Settings, or connect it anew.
analyzer-file = Give it its file
analyzer-file-lead = Its certificate, its private key and the lab's own authority in one file. Whoever has the file can send as this analyzer: carry it over on something that you can wipe, never by mail, and delete it here.
analyzer-file-button = Download { $name }.pem
analyzer-file-help = The key is kept nowhere else. Each download makes a new certificate and is recorded with your name; the one before it works for 14 more days.
analyzer-set = Set it
analyzer-host = Host
analyzer-plain = none: it is on this machine
analyzer-tls = TLS 1.2 or 1.3 with the client certificate from the file
analyzer-first = Its first message
analyzer-waiting = Waiting for the first message…
analyzer-waiting-help = Let the analyzer send a result, of a control for example. This page looks again by itself; without scripts, load it again.
analyzer-received = Received.
analyzer-received-help = It is kept sealed, with its entry in the ledger, and was acknowledged. The analyzer is connected.
analyzer-held = It came, and is held:
analyzer-held-field = What stands in { $field } is not what this analyzer may send. An administrator, a security officer or IT corrects that with labward peer set.
analyzer-see = See the message
analyzer-connections = connections open now
analyzer-refused = connections refused since the start
analyzer-refusals = Refused in the last ten minutes; each shows within a minute or two
analyzer-why = Why
analyzer-nothing = If nothing comes
analyzer-nothing-reach = Can the analyzer reach this machine on that port? A firewall between them, or a wrong address, shows here as no connection at all.
analyzer-nothing-name = Is the host set exactly as above? The analyzer compares it with the name in the server's certificate.
analyzer-nothing-clock = Is the analyzer's clock right? A wrong day makes a good certificate look ended or not begun.
analyzer-nothing-framing = Is it set to what it speaks above? Bytes in another framing are a connection without a message.
analyzer-nothing-reload = Did the analyzer take over its settings? Many do only after a restart.
stranger-bad-certificate = Its certificate is damaged or of another kind.
stranger-connection-lost = It hung up before it had shown its certificate: perhaps it does not know the lab's authority, or another name is set as host.
stranger-expired = Its certificate has ended, or its clock or this machine's is wrong.
stranger-handshake-failed = The TLS handshake failed: perhaps it does not know the lab's authority from the file.
stranger-handshake-timeout = It connected and then said nothing in time.
stranger-http = It spoke HTTP: that is no analyzer, or its software is set to another protocol.
stranger-no-certificate = It showed no certificate: set the file, or its certificate and key, in its TLS settings.
stranger-not-tls = It spoke without TLS: switch TLS on in its settings.
stranger-not-yet-valid = Its certificate has not begun: compare the clocks.
stranger-other-peer = This link is for another device only.
stranger-revoked = Its certificate was revoked.
stranger-tls-on-plain-port = It spoke TLS on a link without encryption.
stranger-tls-too-old = It knows only TLS versions that are not secure any more, or ciphers of theirs.
stranger-unknown-address = Nothing may connect from this address without a certificate.
stranger-unknown-key = Its certificate is not one that Labward knows: is it the right file?
stranger-wrong-issuer = Its key is known, but its certificate is not from the lab's authority.

# The first run
setup-title = Set up Labward
setup-steps = Steps of the set-up
setup-step-lab = Laboratory
setup-step-administrator = First administrator
setup-step-keys = Keys
setup-step-shares = Recovery shares
setup-step-start = Start
setup-open-lead = This server holds no laboratory yet. Whoever has the link that it printed when it started may set it up.
setup-code = Code of the set-up link
setup-code-help = What stands behind the # of the link. The link is also in a file beside the data folder that only the server's account can read.
setup-open-button = Begin the set-up
setup-fingerprint-help = Your browser warned you because this page shows a certificate made for the set-up alone. Compare its SHA-256 fingerprint with the one that the server printed beside the link; if they differ, stop here.
setup-spent = This link was used already: another browser sets this server up.
setup-spent-todo = If that is not you or a colleague, stop the server at once. Starting it again makes a new link, and nothing of an unfinished set-up is kept.
setup-wrong-code = This is not the code of the link that the server printed when it last started.
setup-next = Next
setup-back = Back
setup-lab-title = Your laboratory
setup-lab-lead = Until the installation is created nothing is written: your answers are kept in this server's memory, you may close this browser window and come back, and a restart of the server begins anew.
setup-lab-name = Name of the laboratory
setup-lab-names = Names and addresses of this machine
setup-lab-names-help = Those by which browsers, analyzers and partners reach it, parted by blanks. They go into the server's certificate. A passkey later needs a name, not an address.
setup-restore = Restore from a backup instead
restore-title = Restore from a backup
restore-lead = For a new machine after a loss. The folders must be reachable on the server's machine; nothing in them is changed.
restore-backups = Folder of the backups
restore-backups-help = The newest whole backup in it is restored. For an older one, use labward backup restore at the command line.
restore-archives = Folder of the key archives
restore-slot = What opens the key archive
restore-slot-file = A key file of the laboratory
restore-path = Path of the key file
restore-slot-passphrase = The passphrase
restore-slot-shares = Recovery shares
restore-shares-help = One share a line, as many as are needed together.
restore-without = Go on and lose what these keys open: its records can then never be read again.
restore-note = Switch the old server off first, if it still runs: two servers of one laboratory must never deliver at the same time.
restore-button = Restore
restoring-title = The backup is being restored
restoring-lead = Every part is checked while it is written, and the ledger afterwards. A large laboratory takes minutes; you may close this window and come back.
restoring-look = Look again
restored-title = The laboratory is restored
restored-lead = Everything was checked: keys, records, and the ledger from its first entry to its signature.
restored-missing = { $count ->
    [one] The key of { $count } patient is missing: their records can never be read again.
   *[other] The keys of { $count } patients are missing: their records can never be read again.
  }
restored-moment = The moment that was restored; what came later is not in it
restored-generation = backup { $number }
restored-entries = Entries of the ledger
restored-disposed = Patients who were disposed of since, and stay so
restored-hold = Nothing is delivered until somebody has seen that the old server is off, and confirms it: Home shows it after the sign-in.
restored-started-lead = In a moment the server is there as it was. Sign in as before.
restored-no-console = This laboratory has no console: go on at the command line.
setup-administrator-title = The first administrator
setup-administrator-lead = They look after keys, analyzers, people and settings, and invite everybody else. There is no default password.
setup-person-name = Name
setup-reads = They also look at patients' records (lab manager)
setup-reads-help = Kept apart, no one account both lets people in and reads what they may read; a small lab often needs both.
setup-keys-title = The keys of your records
setup-keys-lead = The root key opens all records. A slot is a way to open it; any one slot is enough, and without one nothing can ever be read again.
setup-slot = How the server opens the root key
setup-slot-file = With a key file on another volume: the server starts by itself (recommended)
setup-key-file = Key file
setup-path = Path of the key file to be made
setup-path-help = On the server's machine, outside the data folder, best on a volume that is not stolen with the data. Its folder must be there.
setup-slot-passphrase = With a passphrase: after each start somebody types it at the server's command line
setup-passphrase = Passphrase
setup-passphrase-help = At least 15 characters.
setup-passphrase-again = The passphrase once more
setup-passphrases-differ = The two passphrases differ.
setup-shares = Recovery shares on paper
setup-shares-help = For the day when the key file or the passphrase is gone. Each share goes to another person; one alone opens nothing.
setup-shares-three = Three shares, any two open the records
setup-shares-five = Five shares, any three open the records
setup-create-note = The next step makes the installation: folders, database, keys, certificates, ledger. The shares are then shown once.
setup-create = Create the installation
setup-shares-title = Recovery shares
setup-shares-lead = Print this page or write each share down now, each on a paper of its own for another person. Once you go on they are never shown again, and they are kept nowhere.
setup-share = Share
setup-share-opens = { $count ->
    [one] Any { $count } of these shares opens the records.
   *[other] Any { $count } of these shares open the records.
  }
setup-share-given = Given to, on:
setup-written = They are all on paper
setup-confirm-title = Type it back from the paper
setup-confirm-lead = A share that was written down wrongly opens nothing. After three wrong answers in a row the set-up begins again with new shares.
setup-groups = groups { $groups }
setup-groups-help = Upper or lower case, blanks and hyphens do not matter.
setup-lost = A paper is missing or wrong? Begin again: what was made is removed, and new shares are made.
setup-again = Begin again
setup-failed-title = The set-up did not succeed
setup-failed-lead = What was made cannot be used, and shares that you wrote down open nothing: destroy them. Begin again; what is half made is removed first.
setup-done-title = Your laboratory is set up
setup-done-lead = One thing is left: from the start on, the server shows another certificate, which your laboratory's own authority has issued.
setup-beside-data = The key file lies on the same file system as the data: whoever takes the disk has both. Move it to another volume, then see labward check.
setup-sealed = After each later start somebody must type the passphrase: labward key unseal. Until then nothing is received and this console cannot be reached.
setup-authority-title = Make the new certificate known
setup-authority-lead = Download the authority's certificate, compare its fingerprint, and add it to the authorities that this browser or this machine trusts. Your browser will then show the console without a warning, and would warn you of an impostor.
setup-authority-download = Download the authority's certificate
setup-authority-sha256 = SHA-256 fingerprint of the authority's certificate
setup-server-sha256 = SHA-256 fingerprint of the server's certificate
setup-server-names = Names in the server's certificate
setup-ledger-key = Public key of the ledger, for whoever is to check it
setup-start-lead = Starting ends the set-up for good. If nobody does it, the server starts by itself after 15 minutes.
setup-start = Start Labward
setup-started-title = Labward starts
setup-started-lead = In a moment the console is there, with the new certificate. Sign in with the name and the password that you chose.
setup-sign-in = Go to the sign-in
setup-next-title = What to do next
setup-next-check = See what is still wrong, the most harmful first: the home page, or
setup-next-analyzer = Connect the first analyzer: after the sign-in, Home leads you through it. At a terminal:
setup-next-backup = Back up to another volume, and try a restore:
setup-next-people = Invite your colleagues, on the page People.
# Emergency access
glass-title = Emergency access
glass-lead = For a patient who cannot wait. It ends by itself, works also while the ledger cannot be written, and a second person reviews what was read.
glass-why = Why the patient cannot wait
glass-why-help = Recorded, and shown to the person who reviews it. At most 1,000 characters.
glass-open = { $count ->
    [one] Open for { $count } minute
   *[other] Open for { $count } minutes
  }
glass-now = { $count ->
    [one] Emergency access is open: { $count } minute left
   *[other] Emergency access is open: { $count } minutes left
  }
glass-now-until = It ends at
glass-now-help = Everything that you read is recorded and reviewed.
glass-end = End it now
openings-title = Reviews of emergency access
openings-lead = Somebody else than the person who opened an emergency access says whether it was right to read.
openings-none = Nobody has opened an emergency access.
opening-title = Emergency access { $number }
opening-opened = Opened
opening-who = Who
opening-until = Ends or ended
opening-see = See
opening-record = Record
opening-state-open = open
opening-state-waiting = waits for a review
opening-state-overdue = review overdue
opening-state-reviewed = reviewed
opening-readings = What was read
opening-nothing-read = Nothing was read.
opening-did-record-searched = searched
opening-did-record-shown = looked at
opening-review = Review
opening-verdict = Was it right to read?
opening-reviewer = Reviewed by
opening-note = Note
opening-own = You opened it, so somebody else reviews it.
opening-still-open = It is still open. Review it when its time is over.
opening-review-button = Record the review
verdict-appropriate = Appropriate
verdict-not-appropriate = Not appropriate
person-gone = person { $number }, removed since
home-opening = { $name } opened emergency access to records:
home-opening-button = Review it
done-glass-opened = Emergency access is open.
done-glass-ended = Emergency access has ended.
done-reviewed = The review is recorded.
export-csv = Export CSV
export-csv-help = All pages of this list as it is filtered now, at most 1,000,000 rows; it is recorded
list-findings = findings
list-not-measured = what was not measured
list-links = links
list-destinations = destinations
list-witnesses = witnesses
list-webhooks = webhooks
list-messages = messages
list-results = results
list-accesses = accesses
list-entries = entries
list-safeguards = safeguards
list-people = people
list-openings = emergency accesses
list-sessions = sessions

# People: roles, a list, invitations
person-title = Roles of a person
person-lead = What the roles permit holds at once, in open sessions and for tokens, too. The change is recorded.
person-set = Set roles
done-roles-set = The roles are set, and hold from now on.
people-import-title = Add people from a list
people-import-lead = Paste the rows from a spreadsheet, look at what would happen, then add all of them at once. Whoever is there already stays as they are, so the same list can be taken again.
people-import-list = The list
people-import-table = Rows, with a head of column names
people-import-help = The columns name and role are needed, others are not looked at. Comma, semicolon or tab between them; a plus sign between several roles of one person.
people-import-look = Look at it
people-import-preview = What would happen
people-import-would-add = { $count ->
    [one] { $count } person would be added.
   *[other] { $count } people would be added.
}
people-import-known = { $count ->
    [one] { $count } is there already.
   *[other] { $count } are there already.
}
people-import-refused = { $count ->
    [one] { $count } line cannot be read; nothing can be added before it is right.
   *[other] { $count } lines cannot be read; nothing can be added before they are right.
}
people-import-apply = { $count ->
    [one] Add { $count } person and make the invitation
   *[other] Add { $count } people and make their invitations
}
people-import-added = { $count ->
    [one] { $count } person was added.
   *[other] { $count } people were added.
}
people-import-line = Line
people-import-state-new = new
people-import-state-added = added
people-import-state-known = there already
people-import-state-expert = an outside expert is added alone, with what they see
people-import-state-no-role = no such role
people-import-state-no-name = not a name
people-import-example = How it looks
people-import-word = In the list
invitations-title = Invitations
invitations-lead = Print this sheet and give each their part alone: whoever has it chooses the password. It is shown only now.
invitation-until = Works once, until { $until }.
invitation-qr = QR code of the invitation for { $name }
invitation-qr-help = Or let the phone's camera read the code. The phone must be in the laboratory's network.

# The reference of the API
reference-title = Reference of the API
reference-lead = Everything that the console does, programs can do, too, with a token. The descriptions are in English.
reference-how = A token is made on the server with labward token create and sent in the header Authorization: Bearer. Requests and answers are JSON.
reference-file = OpenAPI document (openapi.json)
reference-operations = Requests
reference-request = Request
reference-does = What it is
reference-takes = Takes
reference-gives = Gives
reference-permission = Permission and roles
reference-not-yours = Not with your roles.
reference-types = Types
reference-member = Member
reference-kind = Kind
reference-required = needed
reference-link = Reference of the API, for programs

# The engagement of an outside expert.
engaged-now = You see entries from { $from } to { $until } about: { $topics }. What shows the present is here only within that time. Your access ends after { $ends }.
mark-confidential = CONFIDENTIAL
engage-title = For an outside expert: what they see and until when
engage-help = They see entries of these days about these topics, never a patient's data. Pages that show the present are there for them only while today is one of these days. When access ends, their sessions and tokens end.
engage-from = Entries from (day, UTC)
engage-until = Entries until (day included)
engage-expires = Last day of access
engage-topics = Topics
engage-change = Change what they see
engage-none = Sees nothing: no engagement
engage-sees = From { $from } to { $until }: { $topics }. Access ends after { $ends }.
topic-backups = Backups and restores
topic-configuration = Configuration
topic-keys = Keys
topic-ledger = The ledger itself
topic-links = Links, peers and messages
topic-people = People and tokens
topic-records = What was done with records, without names
topic-devices = Devices, and malware that was found
topic-safeguards = Safeguards
topic-status = State and findings

# Tokens of one's own account.
done-engaged = Changed. It holds for their next request.
done-token-ended = The token has ended.
token-title = Tokens
token-lead = With a token a program uses the API in your name, and does only what you choose here. What must be done in person no token can do.
token-none = You have no token.
token-name = What it is for
token-name-help = Such as the program and the machine: monitoring on server 2
token-scopes = What it may do
token-days = How many days it lasts
token-days-help = 1 to 366. Choose as few as do.
token-created = Made
token-ends = Ends
token-used = Last used
token-never = never
token-end = End
token-add = Make a token
token-made = Your token { $name }
token-made-help = It is shown only now. Put it where the program keeps its secrets, and nowhere else.
token-at = The API is at
permission-status-read = See the state of the server, its links and its findings
permission-config-read = See the configuration
permission-key-read = See where the keys live, never a key
permission-peer-read = See the connected machines
permission-peer-change = Add, renew and revoke machines
permission-person-read = See the people and their roles
permission-message-list = List messages, without what is in them
permission-message-show = See what is in a message: patients' data
permission-message-decide = Release or reject held messages
permission-message-resend = Send a message again
permission-record-find = Search for patients
permission-record-show = See a patient's records
permission-record-export = Take a patient's records out
permission-record-import = Bring records in from files
permission-hold-change = Place and lift legal holds
permission-ledger-read = Read and verify the ledger
permission-ledger-export = Take the ledger out
permission-backup-run = Make and try backups
permission-backup-confirm = Let delivery go on after a restore
permission-safeguard-read = See the safeguards
permission-list-export = Take lists out as files

nav-devices = Devices
list-devices = devices
permission-device-read = See the devices
permission-device-change = Change and import devices
permission-malware-read = See what malware was found and what is in quarantine
permission-malware-inspect = Have something looked at for malware
permission-malware-write-back = Write back what two people gave back from quarantine
permission-integrity-report = Tell what a comparison of files came to
done-device-added = Added.
done-device-changed = Changed.
done-device-merged = Merged.
done-device-removed = Removed. What was known of it is kept.
done-device-restored = There again.
done-device-split = Split. Each stands for itself again.
devices-title = Devices
devices-lead = Analyzers, instruments and computers of the lab: what lists, messages and people say of them.
devices-import = Import a list
devices-conflicts = These need a decision
devices-conflicts-help = Sources disagree, or two devices claim to be the same one. Open the device and say which is right, or merge the two.
devices-all = All devices
devices-none = No device fits.
devices-find = Find by name, model, serial number, address or anything else
devices-find-do = Find
devices-count = { $count ->
    [one] { $count } device
   *[other] { $count } devices
 }
devices-add = Add a device by hand
devices-add-do = Add
devices-import-lead = Paste a list, look at what would become of each line, then take it over. It may be a spreadsheet saved as CSV, or an export of Snipe-IT, GLPI, NetBox or nmap.
devices-import-done = What became of each line
devices-import-preview = What would happen
devices-import-added = { $count ->
    [one] { $count } new
   *[other] { $count } new
 }
devices-import-changed = { $count ->
    [one] { $count } says something new
   *[other] { $count } say something new
 }
devices-import-known = { $count ->
    [one] { $count } known already
   *[other] { $count } known already
 }
devices-import-refused = { $count ->
    [one] { $count } refused
   *[other] { $count } refused
 }
devices-import-apply = Take it over
devices-import-rest = Lines that are refused are left out; the rest is taken over.
devices-import-list = The list
devices-import-text = Rows with a head of column names, or the whole file
devices-import-help = Columns may be named in English or Spanish; what is not known becomes a note. A line needs a serial number with its manufacturer or model, a UDI, an asset tag, a MAC address, a host name or an IP address. At most 1 MiB; never write patient data into a list of devices.
devices-import-example = name,manufacturer,model,serial,version,mac
device = Device
device-number = Number
device-numbered = device { $number }
device-peers = Peers
device-last = Last said
device-conflicts = Conflicts
device-is-removed = removed
device-was-removed = This device was removed:
device-known = What is known
device-rule = A person’s word comes first, then what the device says in its messages, then files; among equals the newest counts. What people say settles what others said until then.
device-what = What
device-counts = Counts
device-sources = Who says what
device-disagree = sources disagree
device-taken-back = word taken back
device-before = before
device-settle = This is right
device-no-peer = No peer is bound to it.
device-links = heard on
device-merged = Merged into it
device-merged-help = These were declared the same device. A split gives each its own values back.
device-split = Split
device-change = Change
device-change-help = Only what you change becomes your word. An empty field takes your word back.
device-change-do = Save
device-notes-help = Never write patient data here.
device-bind = Peers that are this device
device-merge = Merge with another device
device-merge-help = Lists and messages find the device by the keys of both from then on; it can be split again.
device-merge-other = The other device, which belongs to this one from then on
device-merge-do = Merge
device-remove = Remove
device-remove-help = It is no longer there; what was known of it is kept, and a list does not bring it back.
device-remove-do = Remove
device-restore = It is there again
device-conflict-values = { $attribute }: sources disagree
device-conflict-claim = { $key }: claimed by device { $devices }, too
device-conflict-seen = heard after it was removed
device-source-link = { $peer } on link { $link }
device-source-file = { $format } { $file }
device-source-capture = a capture of the network
device-attribute-name = Name
device-attribute-category = Category
device-attribute-manufacturer = Manufacturer
device-attribute-model = Model
device-attribute-product = Software
device-attribute-version = Version
device-attribute-serial = Serial number
device-attribute-udi = UDI
device-attribute-asset-tag = Asset tag
device-attribute-hostname = Host name
device-attribute-mac = MAC address
device-attribute-ip = IP address
device-attribute-os = Operating system
device-attribute-os-build = Build of the operating system
device-attribute-sender = Calls itself in messages
device-attribute-equipment = Instrument named in messages
device-attribute-criticality = Criticality
device-attribute-location = Location
device-attribute-owner = Owner
device-attribute-contact = Vendor contact
device-attribute-support-until = Support contract until
device-attribute-notes = Notes
device-criticality-low = low: nobody notices within a day
device-criticality-normal = normal: work goes on in another way
device-criticality-high = high: patients wait for it
device-confidence-low = a guess
device-confidence-medium = probable
device-confidence-high = sure
device-format-csv = CSV list
device-format-snipe-it = Snipe-IT
device-format-glpi = GLPI
device-format-netbox = NetBox
device-format-nmap = nmap
device-key-maker-serial = Manufacturer and serial number
device-key-model-serial = Model and serial number
device-key-udi = UDI
device-key-asset-tag = Asset tag
device-key-mac = MAC address
device-line-added = new
device-line-changed = says something new
device-line-known = known already
device-fault-ambiguous = fits several devices: merge them or correct one
device-fault-bad-value = not a value of this kind
device-fault-no-key = nothing by which it would be known again
device-fault-not-read = cannot be read
device-fault-removed = was removed: restore it first
device-fault-twice = another line is of the same device
device-state-present = Present
device-state-conflict = In conflict
device-state-removed = Removed
device-state-all = All

# Vulnerabilities
nav-hits = Vulnerabilities
list-hits = vulnerabilities
list-advisories = advisories
list-advisory-sources = sources of advisories
list-unusual = what devices did otherwise
list-hit-statements = statements
done-hits-decided = Decided and recorded.
done-hit-stated = Recorded, and every device was compared anew.
done-hit-withdrawn = Taken back, and every device was compared anew.
home-hits-overdue = { $count } overdue
home-hits-soon = { $count } due soon
home-hits-button = Look at them
hits-title = Vulnerabilities
hits-lead = Published vulnerabilities that concern devices of the lab, what is due first on top.
hits-empty = No advisory is here yet, so nothing could be compared with the devices.
hits-empty-help = Have the IT person import what publishers say, on the server:
hits-empty-guide = How to get the files, and how to keep them fresh:
hits-stale = The advisories of { $source } are old:
hits-stale-help = What was published since is not on this page. Have the IT person import them anew.
hits-matched = { $count ->
    [one] Compared with { $count } advisory
   *[other] Compared with { $count } advisories
  }
hits-calendar = Take as calendar
hits-calendar-help = A file of what is due, for a calendar. It names weak points of the lab: keep it within.
hits-matrix = Devices and advisories
hits-matrix-lead = Only devices and advisories with open vulnerabilities. A cell leads to what is open there.
hits-matrix-cut = The table ends at 200 devices and 200 advisories; the list shows the rest.
hits-matrix-affected = A
hits-filter-open = Open
hits-filter-overdue = Overdue
hits-filter-due = Due soon or overdue
hits-filter-untreated = Untreated
hits-filter-affected = Affected
hits-filter-cannot-tell = Cannot tell
hits-filter-treated = Treated
hits-filter-closed = Closed
hits-find = Find by device, advisory or CVE
hits-all-again = Show all again
hits-count = { $count ->
    [one] { $count } vulnerability fits
   *[other] { $count } vulnerabilities fit
  }
hits-left-out = { $count ->
    [one] { $count } more is not on this page: narrow the list.
   *[other] { $count } more are not on this page: narrow the list.
  }
hits-none = Nothing fits.
hits-nothing-open = No open vulnerability is known for the devices here.
hits-tick = Tick
hits-tick-help = Tick what you want to decide about together, then decide below.
hits-urgency = Urgency
hits-due = Due
hits-verdict = Verdict
hits-treatment = What is done
hits-vulnerability = Vulnerability
hits-vulnerabilities = { $count ->
    [one] { $count } vulnerability
   *[other] { $count } vulnerabilities
  }
hits-more = { $count ->
    [one] and { $count } more
   *[other] and { $count } more
  }
hits-late = { $count ->
    [one] { $count } day late
   *[other] { $count } days late
  }
hits-today = due today
hits-left = { $count ->
    [one] { $count } day left
   *[other] { $count } days left
  }
hits-exploited = known to be exploited
hits-ransomware = used by ransomware
hits-placed = vulnerability { $number } of the advisory
hits-untreated = nothing yet
hits-not-counting = { $count ->
    [one] { $count } still open
   *[other] { $count } still open
  }
hits-earlier = Previous page
hits-later = Next page
hits-decide = Decide about what is ticked
hit = Vulnerability
hit-band-critical = Critical
hit-band-high = High
hit-band-medium = Medium
hit-band-low = Low
hit-verdict-affected = Affected
hit-verdict-cannot-tell = Cannot tell
hit-verdict-not-affected = Not affected
hit-state-open = open
hit-state-due-soon = due soon
hit-state-overdue = overdue
hit-state-acceptance-expired = acceptance expired
hit-state-treated = treated
hit-state-closed = closed
hit-closed-retest = Closed: the device’s version is not affected any more.
hit-closed-statement = Closed by a person’s statement.
hit-closed-advisory = Closed: the advisory does not say it any more.
hit-closed-device-removed = Closed: the device was removed.
hit-treatment-patch = Update installed
hit-treatment-control = Held off by a control
hit-treatment-accept = Risk accepted
hit-treatment-replace = Device to be replaced
hit-glance-affected = This device is affected.
hit-glance-cannot-tell = It cannot be told whether this device is affected: a person has to look. Until then it counts as affected.
hit-glance-closed = This is closed: nothing has to be done.
hit-due-by = Due by
hit-counts-not = does not count now
hit-why-sealed = The reason is sealed until the root key is open.
hit-order = Work order to print
hit-to-device = To the device
hit-can-be-done = What can be done
hit-no-remedy = No remedy is published. Ask the vendor whether there is an approved update, separate the device from the network, or plan to replace it.
hit-publisher-english = The text is the publisher’s own, in English.
hit-epss = attack within 30 days: { $percent } % probable
hit-decide = Decide
hit-decide-what = What is done about it?
hit-decide-patch = The vendor’s update is installed
hit-decide-control = Something holds attacks off, such as a separated network
hit-decide-accept = The risk is accepted until a day
hit-decide-replace = The device is replaced by a day
hit-decide-approved = Does the vendor approve this update for this device?
hit-decide-not-asked = Nobody asked
hit-decide-no = no
hit-decide-until = Last day
hit-decide-until-help = At most two years ahead. After that day somebody has to decide anew.
hit-decide-why = Why, or what was done
hit-decide-do = Record the decision
hit-way = How this was found
hit-way-device = The lab calls the device
hit-way-version = its version is
hit-way-no-version = Its version is not known: enter it on the device’s page.
hit-way-none = Nothing but a person’s word speaks of this device now.
hit-step-product = Product, as published
hit-step-versions = Versions, as published
hit-step-no-versions = says nothing of versions
hit-step-status = The publisher says
hit-step-found = Name here, and how it compares
hit-step-read = How the versions were read
hit-step-unread = were not read
hit-more-products = { $count ->
    [one] { $count } more product
   *[other] { $count } more products
  }
hit-without = Without anybody’s word it would be:
hit-why-urgent = Why it is this urgent
hit-statements = What people said
hit-statements-lead = These words of people count in place of what Labward would say. Each can be taken back.
hit-statement = Statement
hit-no-statement = Nobody has said anything about this.
hit-said-by = Said by
hit-every-device = every device of this name
hit-withdraw = Take back
hit-withdraw-why = Why is it taken back?
hit-withdrawn = taken back
hit-same-title = Is it this product?
hit-same-help = Your answer holds for every device of this name, and for every advisory that names the product. Compare with the label on the device, or ask the vendor.
hit-same-why = How you know
hit-same-yes = Yes, it is this product
hit-same-no = No, it is another
hit-is-it = Is { $device } the product { $product }?
hit-status-title = What do you know of this device?
hit-status-help = If the vendor told you how this device stands, say so here. It counts in place of what was found.
hit-status-why = How you know, such as the vendor’s letter and its day
hit-status-do = Record it
hit-only-version = only for version { $version }
hit-says-affected = It is affected
hit-says-fixed = It holds the fix
hit-says-not-affected = It is not affected
hit-says-same = { $device } is the product { $product }
hit-says-other = { $device } is not the product { $product }
hit-references = Where more stands
hit-found = Found
hit-opened = opened again
hit-order-title = Work order
hit-order-print = Print
hit-order-help = Do nothing while the device measures patient samples. Agree on a time, and verify the device afterwards as your procedures ask.
hit-order-nothing = Nothing is open for this device.
hit-order-left-out = { $count ->
    [one] { $count } more did not fit here.
   *[other] { $count } more did not fit here.
  }
hit-order-did = What was done
hit-order-approved = Approved by the vendor
hit-order-version = Version afterwards
hit-order-by = Done by
hit-order-day = Day
hit-order-signature = Signature
hit-reason-family = The publisher’s name may mean a whole family, to which this device may belong.
hit-reason-member = The publisher names one member of a family; it may be another than this device.
hit-reason-maybe-abbreviation = Both names share an abbreviation that may mean several things.
hit-reason-maybe-excluded = The publisher leaves some products out, and this device may be one of them.
hit-reason-maybe-shared-words = The names share most of their words.
hit-reason-maybe-software = One is software, and the other may be the instrument that it runs on.
hit-reason-maybe-vendor = The vendors are called alike, but not the same.
hit-reason-no-version = The version of the device is not known here.
hit-reason-other-version = The publisher names another version, which does not clear this one.
hit-reason-no-range = The publisher says nothing of versions.
hit-reason-contradiction = The publisher says both, for this very version.
hit-reason-under-investigation = It is still being looked into.
hit-reason-ambiguous-date = The publisher names a date whose day and month cannot be told apart.
hit-reason-empty = The publisher left the versions empty.
hit-reason-exclusion = The publisher leaves something out of the versions in words.
hit-reason-grammar = What the publisher wrote of versions cannot be read.
hit-reason-no-year = The publisher names a day without its year.
hit-reason-operand = What the publisher wrote of versions ends in something that is no version.
hit-reason-says-none = The publisher says that there is no version.
hit-reason-too-long = What the publisher wrote of versions is too long to be read.
hit-reason-wildcard = An x in the publisher’s versions may mean several things.
hit-reason-between-branches = The device’s version lies between two lines of versions that the publisher names.
hit-reason-coarser = The version entered here says less than the publisher’s: enter it in full.
hit-reason-condition = Only devices on a condition are meant, which the version does not tell.
hit-reason-date = The publisher names days, not versions.
hit-reason-finer = The device’s version says more than the publisher’s.
hit-reason-may-be-model = What the publisher wrote may be a model as well as a version.
hit-reason-padding = A number with zeros before it may be meant as a fraction.
hit-reason-reading = What the publisher wrote may be meant in another way.
hit-reason-serial = The publisher names serial numbers, not versions.
hit-reason-speaks-of-models = The publisher names models, not versions.
hit-reason-no-order = The two versions cannot be put in an order.
hit-reason-version-unread = The version entered here cannot be read, or says that none is known.
hit-reason-no-release = The catalogue of exploited vulnerabilities names no releases of this system.
hit-reason-patch-state = There is an update of the system; whether the device has it is not known here.
hit-reason-role = Only devices in a certain role are hit, such as domain controllers.
hit-reason-past-end-of-life = The system had no more support when this was found to be exploited.
hit-reason-updated-since = The system’s updates are newer than this and may hold the fix.
hit-reason-version-order = How these versions follow each other is not known here.
hit-reason-commits = The publisher names changes of source code, not versions.
hit-reason-distribution = Whether the part comes from the distribution is not known here.
hit-name-same = the same name
hit-name-device-is-narrower = the name here says more
hit-name-product-is-narrower = the published name says more
hit-name-maybe-abbreviation = perhaps the same: an abbreviation
hit-name-maybe-excluded = perhaps left out by the publisher
hit-name-maybe-shared-words = perhaps the same: most words
hit-name-maybe-software = perhaps the same: software and instrument
hit-name-maybe-vendor = perhaps the same: vendors called alike
hit-name-no = another product, as a person said
hit-read-all = every version
hit-read-operator = one bound
hit-read-branch = a list of bounds, one for each line of versions
hit-read-listed = exactly these versions
hit-read-paired = from one bound to the other
hit-read-range = from one version to another
hit-read-words = a bound in words
hit-status-exploited = known to be exploited
hit-status-first-affected = affected from here on
hit-status-first-fixed = fixed from here on
hit-status-fixed = fixed
hit-status-known-affected = affected
hit-status-known-not-affected = not affected
hit-status-last-affected = affected up to here
hit-status-recommended = recommended
hit-status-under-investigation = being looked into
remedy-vendor-fix = Update of the vendor
remedy-mitigation = Mitigation
remedy-workaround = Workaround
remedy-none-available = Nothing is available
remedy-no-fix-planned = No fix is planned
device-hits-all = Show all
device-hits-more = { $count ->
    [one] { $count } more row: show all
   *[other] { $count } more rows: show all
  }
advisory = Advisory
advisories-title = Advisories
advisories-lead = What publishers say of vulnerabilities in their products, as the lab holds it.
advisories-sources = Where they come from
advisories-source = Source
advisories-checked = Looked into
advisories-documents = Documents
advisories-newest = Newest release
advisories-refused = Could not be read
advisories-stale = old: import it anew
advisories-never = never yet
advisories-failing = could not be looked into:
advisories-waiting = { $count ->
    [one] { $count } more is listed and waits
   *[other] { $count } more are listed and wait
  }
advisories-faults = { $count ->
    [one] { $count } could not be read
   *[other] { $count } could not be read
  }
advisories-key = The publisher says that it signs with the key
advisories-key-trusted = it stands in signing_keys, so its signatures count.
advisories-key-foreign = it does not stand in signing_keys, so its signatures do not count.
advisories-import = Import advisories
advisories-import-lead = Take over what publishers say: advisories (CSAF), the catalog of exploited vulnerabilities (KEV), probabilities of attacks (EPSS), answers of makers (VEX), vulnerabilities of components (OSV), alone or in archives.
advisories-import-help = One or several files: a document with its .sha512 and .asc beside it, or a zip, tar, gzip, xz or zstd archive of them. Together at most 256 MiB.
advisories-import-files = The files
advisories-import-choose = Choose files
advisories-import-source-help = Where they come from, as the list of sources shows it with its age: letters, digits, hyphens and dots.
advisories-import-look = Only look what would become of them
advisories-import-do = Send
advisories-import-more = Larger archives go by labward advisory import on the server; folders and mirrors are read by themselves:
advisories-import-done = What became of them
advisories-import-file = File
advisories-import-added = { $count ->
    [one] { $count } added
   *[other] { $count } added
  }
advisories-import-updated = { $count ->
    [one] { $count } updated
   *[other] { $count } updated
  }
advisories-import-known = { $count ->
    [one] { $count } known already
   *[other] { $count } known already
  }
advisories-import-older = { $count ->
    [one] { $count } older than what is held
   *[other] { $count } older than what is held
  }
advisories-import-refused = { $count ->
    [one] { $count } refused
   *[other] { $count } refused
  }
advisories-import-others = { $count ->
    [one] { $count } of another kind
   *[other] { $count } of other kinds
  }
advisories-import-opened = { $count ->
    [one] { $count } hit opened
   *[other] { $count } hits opened
  }
advisories-import-closed = { $count ->
    [one] { $count } closed
   *[other] { $count } closed
  }
advisories-line-refused = refused
advisories-line-older = a later release is held
advisories-line-other = of another kind, not kept
advisories-all = All advisories
advisories-every = All
advisories-hit = Only those that hit us
advisories-find = Find by title, publisher, product or CVE
advisories-count = { $count ->
    [one] { $count } advisory fits
   *[other] { $count } advisories fit
  }
advisories-none = No advisory fits.
advisories-us = Our devices
advisories-no = none hit
advisories-says = What it says
advisories-released = Released
advisory-kind-csaf = security advisory (CSAF)
advisory-kind-kev = catalog of exploited vulnerabilities
advisory-kind-epss = probabilities of attacks
advisory-kind-cyclonedx = statements of VEX (CycloneDX)
advisory-kind-openvex = statements of VEX (OpenVEX)
advisory-kind-osv = vulnerabilities of packages (OSV)
advisory-affected = { $count ->
    [one] { $count } device affected
   *[other] { $count } devices affected
  }
advisory-cannot-tell = { $count ->
    [one] { $count } device to look at
   *[other] { $count } devices to look at
  }
advisory-exploited = { $count ->
    [one] { $count } known to be exploited
   *[other] { $count } known to be exploited
  }
advisory-release = release
advisory-are-we-hit = Are we hit?
advisory-not-hit = No open hit.
advisory-not-named = None of the lab’s devices is named in it.
advisory-not-affected = Named in it, but not affected:
advisory-look = Look at what it means for devices here
advisory-closed = { $count ->
    [one] { $count } device was hit and is closed
   *[other] { $count } devices were hit and are closed
  }
advisory-product = Product
advisory-vulnerabilities = Vulnerabilities
advisory-severity = Severity
advisory-attacks = Attacks
advisory-no-attack = none known from CISA’s catalog
advisory-products = Products, as published
advisory-notes = What the publisher writes
advisory-origin = Where this document comes from
advisory-imported = Taken over
advisory-hash-good = A hash beside it was checked and is good.
advisory-hash-none = There was no hash beside it to check.
advisory-signature = Signature
advisory-signed = Checked and good, by the key
advisory-unsigned = None was checked.

network-title = Who talks to whom
network-lead = With whom each device was heard to talk, by where it stands. Labward never sees here what is said.
network-none = No traffic was heard yet. Listen where the traffic of the devices passes, and give each device its IP address:
network-alerts = What nobody expected
network-novelty-destination = It never talked to that address before.
network-novelty-service = It never asked that address for this before.
network-novelty-public = That address is of the public internet, and nobody approved it.
network-novelty-refused = Somebody refused this conversation, and it takes place.
network-public = public internet
network-entry = entry
network-why = What did you find out?
network-refuse = It should not
network-approve = It may
network-no-zone = No place said
network-mode-off = No rules
network-mode-test = Rules count what they would stop
network-mode-enforce = Rules stop what is not approved
network-learning = still learning
network-guarded = rules measured in force
network-direction-inbound = asked by
network-direction-outbound = asks
network-decision-approved = approved
network-decision-learned = nobody decided
network-decision-refused = refused
network-more = { $count ->
    [one] and { $count } more
   *[other] and { $count } more
  }
network-silent = Nothing of it was heard.
network-rules = The rules are loaded by labward segment on the machine that forwards between the networks, never by this page.
done-conduit-decided = The decision is recorded.
done-behaviour-answered = What you said is recorded.
behaviour-title = What it usually does
behaviour-learning = Still learning, so nothing is told as unusual: day
behaviour-active = Days with messages so far:
behaviour-hours = It usually sends between
behaviour-most = Most messages in an hour
behaviour-types = Message types
behaviour-tests = Tests
behaviour-clock = Its clock is ahead of ours by
behaviour-overfull = It sends more types or tests than are remembered, so new ones are not told.
behaviour-last = Last message:
behaviour-all = What it did otherwise
unusual-title = What devices did otherwise
unusual-lead = What a device did on its line and does not usually do. Every such message was taken and passed on all the same.
unusual-none = Nothing of this kind.
unusual-show-open = Open
unusual-show-closed = Closed
unusual-show-all = All
unusual-state-open = open
unusual-state-expected = expected
unusual-state-unexpected = not expected
unusual-state-ended = over by itself
unusual-kind-clock-off = clock off
unusual-kind-new-message-type = new message type
unusual-kind-new-test = new test
unusual-kind-sequence-back = numbers went back
unusual-kind-sequence-gap = numbers missing
unusual-kind-silent = silent
unusual-kind-too-many = far more than usual
unusual-kind-unusual-hour = unusual hour
unusual-more = { $count ->
    [one] one more
   *[other] { $count } more
}
unusual-again = { $count ->
    [one] seen once more
   *[other] seen { $count } times more
}
unusual-dropped = { $count ->
    [one] One accepted message could not be looked at, since too many came at once. It was passed on, and nothing is told as missing for it.
   *[other] { $count } accepted messages could not be looked at, since too many came at once. They were passed on, and nothing is told as missing for it.
}
unusual-raised = Told
unusual-expected = Expected: it is usual from now on
unusual-unexpected = Not expected
unusual-rules = An alert closes by itself when the device sends again, its clock is right again, or it has done the same on enough days.

# What manufacturers disclose
list-components = components
list-patch-approvals = approved patches
done-device-attached = Attached. What it says is known of the device now.
done-device-detached = Taken away. What it said counts no more.
done-patch-stated = Recorded.
done-patch-withdrawn = Taken back and recorded.
device-attribute-anti-malware = Software against malware
device-attribute-patching = Who updates the operating system
device-format-mds2 = Manufacturer’s disclosure (MDS2)
device-parts = What it is made of
device-no-sbom = No bill of materials (SBOM) is attached, so vulnerabilities in its software components are not looked for. Ask the manufacturer for one as CycloneDX or SPDX.
device-no-mds2 = No manufacturer’s disclosure (MDS2) is attached.
device-no-approval = Nothing is known of patches that its vendor approves or rejects.
components-title = Software components
components-lead = What the devices are made of, as their bills of materials say. A component without a package URL cannot be matched with vulnerabilities.
components-find = Name, version, supplier or package URL
components-count = { $count ->
    [one] { $count } component
   *[other] { $count } components
  }
components-matched = { $count ->
    [one] { $count } of them is matched with vulnerabilities
   *[other] { $count } of them are matched with vulnerabilities
  }
components-flaws = { $count ->
    [one] { $count } place of the file could not be read
   *[other] { $count } places of the file could not be read
  }
components-devices = { $count ->
    [one] { $count } device with a bill of materials
   *[other] { $count } devices with a bill of materials
  }
components-everywhere = Look in all devices
components-none = No component fits.
components-before = Earlier components
components-after = Further components
component = Component
component-version = Version
component-supplier = Supplier
component-unmatched = Cannot be matched
component-no-hit = None known
attached-device = Attached to this device
attached-model = Attached to every { $model }
attach-sbom = Attach a bill of materials
attach-mds2 = Attach a manufacturer’s disclosure
attach-help-sbom = CycloneDX or SPDX 2 as JSON. It takes the place of an earlier one, and the components are matched with known vulnerabilities at once.
attach-help-mds2 = The workbook (.xlsx) of the form of 2019 as the manufacturer filled it in. It takes the place of an earlier one.
attach-file = File
attach-model = It is of every device of this manufacturer and model in this version
attach-do = Attach
detach-why-sbom = Why is the bill of materials taken away?
detach-why-mds2 = Why is the disclosure taken away?
detach-do = Take away
mds2-title = Manufacturer’s disclosure (MDS2)
mds2-show = Show the disclosure
mds2-lead = What the manufacturer says of the device’s security. Nothing of it was measured here.
mds2-means = What it means for the laboratory
mds2-says = The manufacturer says
mds2-note = Note
mds2-sections = All answers by section
mds2-question = Question
mds2-answer = Answer
mds2-unanswered = Not answered
mds2-answers = { $count ->
    [one] { $count } question is answered
   *[other] { $count } questions are answered
  }
mds2-missing = { $count ->
    [one] { $count } question of the form is missing in the workbook.
   *[other] { $count } questions of the form are missing in the workbook.
  }
mds2-disclosed-yes = Yes
mds2-disclosed-no = No
mds2-disclosed-not-applicable = Does not apply
mds2-disclosed-unclear = To be read by a person
mds2-disclosed-unanswered = Not answered
mds2-capability-patient-data = Shows, keeps or sends data of patients: keep the device in an area that is not open to all
mds2-capability-patient-data-kept = Keeps data of patients itself: erase it before it leaves the laboratory
mds2-capability-encryption-at-rest = Data at rest can be encrypted; if not, guard the device and its media
mds2-capability-encryption-in-transit = Data are encrypted before they are sent; if not, send through Labward’s edge
mds2-capability-tls = TLS is supported
mds2-capability-node-authentication = Knows the systems that it talks to; if not, let the network allow only those
mds2-capability-wireless = Has wireless connections: switch off what is not used
mds2-capability-remote-service = Takes connections for remote service: allow them only while they are needed
mds2-capability-anti-malware = Software against malware is supported; if not, keep it apart in the network
mds2-capability-anti-malware-by-owner = The laboratory may install or update that software itself
mds2-capability-allowed-software-only = Only approved software runs on it
mds2-capability-os-updates-by-owner = The laboratory has instructions to update the operating system
mds2-capability-os-updates-by-vendor-only = Updates of the operating system need the manufacturer’s service: plan visits
mds2-capability-os-updates-without-approval = Updates of the operating system need no approval of the manufacturer
mds2-capability-update-notices = The manufacturer tells which updates are approved
mds2-capability-vulnerability-reports = The manufacturer takes reports of vulnerabilities
mds2-capability-sbom = A list of its software is available: ask for it and attach it
mds2-capability-authentication = People must sign in
mds2-capability-unique-accounts = Every person has an account of their own
mds2-capability-multi-factor = More than a password can be asked for
mds2-capability-automatic-logoff = Signs out or locks when nobody works
mds2-capability-audit-log = Records who did what
mds2-capability-audit-log-export = The record can be exported
mds2-capability-emergency-access = There is a way in for emergencies
mds2-section-doc = The device and its documents
mds2-section-mpii = Personal data
mds2-section-alof = Automatic logoff
mds2-section-audt = Audit
mds2-section-auth = Authorization
mds2-section-csup = Security updates
mds2-section-didt = De-identification
mds2-section-dtbk = Backup and recovery
mds2-section-emrg = Emergency access
mds2-section-igau = Integrity of data
mds2-section-mldp = Malware
mds2-section-naut = Authentication of nodes
mds2-section-conn = Connectivity
mds2-section-paut = Authentication of people
mds2-section-plok = Physical locks
mds2-section-rdmp = Support of third-party components
mds2-section-sbom = Bill of materials
mds2-section-sahd = Hardening
mds2-section-sgud = Guidance
mds2-section-stcf = Confidentiality of stored data
mds2-section-txcf = Confidentiality of sent data
mds2-section-txig = Integrity of sent data
mds2-section-rmot = Remote service
mds2-section-othr = Other
approvals-title = Patches that vendors approve
approvals-lead = Vendors say for each model which patches may be put in. Keep here what they say; whoever treats a vulnerability with a patch sees it, and it is taken over.
approvals-all = All approvals
approvals-none = Nothing is known yet.
approvals-taken = A treatment with a patch that is named here takes over what the vendor says, unless the person says otherwise.
approval-approved = Approved
approval-rejected = Must not be put in
approval-pending = Not said yet
approval-patch = Patch
approval-patch-help = A version, the number of an update such as KB5034441, a CVE, or words
approval-model = Model
approval-says = The vendor says
approval-known = Known from
approval-new = Take down what a vendor says
approval-version = Only for this version of the software
approval-document = Where the vendor says so
approval-why = How it is known
approval-do = Record it
hit-published = What publishers answer (VEX)
hit-published-counts = The manufacturer’s word decides here.
hit-published-maker = The manufacturer’s word, which does not decide here.
hit-published-other = Not the manufacturer of this device: shown, and nothing is closed by it.
hit-status-component = vulnerable component of the device
hit-closed-sbom = Closed: the device’s bill of materials does not hold it any more.
hit-closed-vex = Closed by the manufacturer’s VEX document.
vex-status-affected = Affected
vex-status-fixed = Fixed
vex-status-not-affected = Not affected
vex-status-under-investigation = Under investigation
vex-why-component-not-present = the component is not in the device
vex-why-inline-mitigations-already-exist = something in the device keeps it from being exploited
vex-why-vulnerable-code-cannot-be-controlled-by-adversary = an attacker cannot control the code
vex-why-vulnerable-code-not-in-execute-path = the code never runs
vex-why-vulnerable-code-not-present = the code is not in the device
mail-subject-nothing = nothing is due
mail-count-overdue = { $count } overdue
mail-count-soon = { $count } due soon
mail-count-new = { $count } new
mail-count-findings = { $count ->
    [one] { $count } finding
   *[other] { $count } findings
  }
mail-count-cleared = { $count ->
    [one] { $count } finding is gone
   *[other] { $count } findings are gone
  }
mail-count-alerts = { $count ->
    [one] { $count } alert
   *[other] { $count } alerts
  }
mail-lead = What needs somebody at { $lab }, as of { $time }.
mail-nothing = Nothing is due at { $lab }, as of { $time }. Labward looked, and says so because no other mail went to you for seven days.
mail-overdue = Overdue
mail-soon = Due within { $days } days
mail-new = Newly found, with more time
mail-alerts = Devices talk to somebody, or in a way, that nobody expected
mail-raised = Newly found by labward check
mail-standing = Still wrong, and does high harm
mail-cleared = No longer wrong
mail-others = { $count ->
    [one] { $count } other finding stands unchanged.
   *[other] { $count } other findings stand unchanged.
  }
mail-work = { $device }: { $vulnerability } ({ $advisory }); { $band }, { $decision }
mail-decision-defer = can be put off
mail-decision-scheduled = at the next maintenance
mail-decision-out-of-cycle = at the next opportunity
mail-decision-immediate = at once
mail-due = due { $day }, { $left }
mail-late = { $count ->
    [one] { $count } day late
   *[other] { $count } days late
  }
mail-today = today
mail-left = { $count ->
    [one] { $count } day left
   *[other] { $count } days left
  }
mail-more = and { $count } more
mail-look = Look at it: { $url }
mail-look-here = Look at it with labward hit list and labward check.
mail-foot = Labward sends this to { $name } of its configuration once a day at most. It holds nothing about patients. Nobody reads answers.
mail-test-subject = test of reminders
mail-test = This is a test mail of Labward at { $lab }, which somebody asked for. Reminders to { $name } go to this address.

# Malware: what was found, the quarantine and the rules
nav-malware = Malware
malware-title = Malware
malware-lead = What came in and is harmful, may be harmful, or could not be looked into. No result is lost: what was taken out lies sealed in quarantine.
malware-show-open = To be dealt with
malware-show-closed = Closed
malware-show-all = All
malware-nothing-open = Nothing waits for anybody.
malware-none = Nothing of this kind.
malware-detection = Detection { $count }
malware-verdict-malicious = Malware
malware-verdict-suspicious = Something that may be malware
malware-verdict-unscannable = Something that could not be looked into
malware-verdict-scanner-error = Something that nobody could look at
malware-where-message = in a message from { $from }, through the link { $place }
malware-where-import = in a file that somebody brought into Labward ({ $place })
malware-where-folder = in a file in the folder { $place } on { $from }
malware-where-mail = in a mail ({ $place })
malware-where-device = in a file on the disk of { $place }
malware-treatment-replaced = It was taken out. The rest of the message was delivered, with a note in its place.
malware-treatment-held = The message waits and was not delivered.
malware-treatment-refused = It was not let in.
malware-treatment-sealed = A copy lies sealed in quarantine.
malware-treatment-removed = It was removed from where it lay and put into quarantine.
malware-treatment-blocked = It is still where it lay, and nobody can open it.
malware-treatment-passed = It was let through. Nothing was removed.
malware-removal-awaited = The machine has not said yet that it removed the file.
malware-removal-removed = The file was removed from where it lay.
malware-removal-not-removed = The file is still there. It could not be removed: { $why }. The machine tries again by itself.
malware-removal-gone = The file is not where it was any more. Who removed it is not known.
malware-why-still-written = a program has it open to write
malware-why-changed = it was changed after it was copied
malware-why-not-there = somebody moved it or renamed it meanwhile
malware-why-displaced = another file took its name meanwhile
malware-why-read-only = the disk can only be read
malware-why-denied = the system does not permit it
malware-why-disk-full = the disk is full
malware-why-refused = the system refused it
malware-why-folder-gone = the folder that it lay in is not there
malware-why-broken-off = the connection to the server broke off
malware-why-other-bytes = what came is not what was taken
malware-why-name-taken = every name that it could have is taken
malware-why-outside = it lay outside of the folder that is watched
malware-do-await = If this stays so for some minutes, IT looks whether the guard runs on that machine.
malware-do-remove = Go to the machine and free the file, or remove it yourself. The item in quarantine says where it lies.
malware-do-tell = Tell whoever sent it, then close this.
malware-do-held = Decide about the message: deliver it or reject it.
malware-do-passed = Call whoever received it now: they must not open it.
malware-do-look = Ask whoever sent it what it is, then close this.
malware-do-unscanned = It is looked at again by itself. If this goes on, IT looks at the scanner.
malware-do-closed = Nothing more to do.
malware-late = found when it was looked at again
malware-late-help = It was received before the rules knew it, and was found when everything was looked at again.
malware-more = { $count ->
    [one] and one more
   *[other] and { $count } more
}
malware-found-at = Found
malware-to-message = The message
malware-to-item = What lies in quarantine
malware-close = Close this
malware-close-why = What was done, or why it is no malware
malware-close-as-handled = It was harmful and is dealt with
malware-close-as-false-alarm = It is a false alarm
malware-closing-handled = dealt with
malware-closing-false-alarm = false alarm
malware-closed-by = Closed by { $by }: { $how }.
malware-what = What was found
malware-nothing-named = No sign of anything in particular.
malware-path = Where in it:
malware-path-whole = the whole of it
malware-path-field = segment { $segment } { $number }, field { $field }
malware-path-file = file { $number }
malware-path-file-ending = file { $number } (.{ $ending })
malware-for-expert = For an expert
malware-engine = Found by
malware-severity-low = worth knowing
malware-severity-medium = unusual
malware-severity-high = seldom harmless
malware-severity-critical = known to be harmful
malware-kind-structure = how it is built
malware-kind-rule = by a rule
malware-kind-signature = by another scanner
malware-kind-approved-rule = by an approved rule
malware-kind-hash = in a list of malware
malware-kind-eicar = the harmless test file
malware-received = Who received it
malware-received-nobody = Nobody.
malware-received-original = received it as it was
malware-received-notice = received the message with a note in its place
malware-alike = What else came the same way
malware-alike-none = Nothing else was found there.
malware-bytes = { $count ->
    [one] one byte
   *[other] { $count } bytes
}
malware-rules-hash = Looked at with the rules
malware-status-ready = Everything that comes in through the links below is looked at.
malware-status-off = Nothing is looked at: the scanner is switched off in the configuration.
malware-status-failing = Nothing can be looked at now: the scanner is failing. Messages go on as the links say, and are looked at later.
malware-status-unknown = How the scanner is cannot be told here.
malware-status-uncovered = { $count ->
    [one] On one link messages are not looked at.
   *[other] On { $count } links messages are not looked at.
}
malware-status-more = More about the scanner
malware-looked-clean = Looked at and clean since the start
malware-looked-suspicious = May be malware
malware-looked-malicious = Malware
malware-looked-unscannable = Could not be looked into
malware-looked-scanner-error = Nobody could look
malware-rescan-ended = Looked at again with the present rules, until
malware-rescan-runs = Is being looked at again with the present rules, since
malware-rescan-scanned = { $count ->
    [one] one record
   *[other] { $count } records
}
malware-rescan-late = { $count ->
    [one] one found late
   *[other] { $count } found late
}
malware-rescan-failed = { $count ->
    [one] one could not be looked at
   *[other] { $count } could not be looked at
}
malware-confined = Whoever looks is confined by
malware-rules-title = Rules for malware
malware-rules-lead = By these rules and lists malware is found. Labward brings a few of its own; the others are yours to bring, under their licences.
malware-rules-none = There are none.
malware-rules-retired = Retired sets
malware-rules-bring = Bring rules or a list
malware-rules-bring-help = What cannot be used of it is named, and the rest is used. What was received before is then looked at again.
malware-rules-bring-do = Bring it
malware-set = Set
malware-set-kind-yara = YARA rules
malware-set-kind-hashes = Hashes of malware
malware-set-kind-allow = Hashes of files known to be good
malware-set-licence = Licence
malware-set-author = Author
malware-set-source = Where it comes from
malware-set-published = Published on
malware-set-age = Published
malware-set-imported = brought
malware-set-loaded = In use
malware-set-counts = What it finds
malware-counts-malicious = is malware, and is taken out
malware-counts-suspicious = may be malware; a person looks at it
malware-counts-allow = is known to be good
malware-set-refused = { $count ->
    [one] one rule was not taken
   *[other] { $count } rules were not taken
}
malware-set-refused-more = { $count ->
    [one] and one more
   *[other] and { $count } more
}
malware-set-decide = Decide
malware-set-approve = What it finds is malware
malware-set-disapprove = A person looks at what it finds
malware-set-retire = Retire the set
malware-set-holds = What it holds
malware-set-file = File
malware-set-file-help = One file of rules or hashes, or a zip or tar of rules; at most 256 MiB.
malware-set-name = Name
quarantine-title = Quarantine
quarantine-lead = What was taken out, sealed so that nobody and nothing can start it. Two people together can have it given back.
quarantine-item = Item { $count } in quarantine
quarantine-show-held = In quarantine
quarantine-show-asked = Wanted back
quarantine-show-approved = May be given back
quarantine-show-all = All
quarantine-none = Nothing of this kind.
quarantine-what = What
quarantine-from = Where it was found
quarantine-since = In quarantine since
quarantine-back = Given back
quarantine-back-nobody = nobody asked
quarantine-state-held = Sealed in quarantine
quarantine-state-expired = Destroyed, because its time was over
quarantine-state-wished = Destroyed, because a person wished so
quarantine-state-disposed = Destroyed with the records of its patient
quarantine-restore-asked = { $asked } wants it back.
quarantine-restore-approved = { $asked } wanted it back, and { $decided } agreed.
quarantine-restore-refused = { $asked } wanted it back, and { $decided } refused.
quarantine-restore-done = It was given back: { $asked } wanted it, and { $decided } agreed.
quarantine-failed = It could not be written back: { $why }. The machine tries again by itself.
quarantine-came = Found
quarantine-until = It is destroyed on
quarantine-was = That was
quarantine-names = Names and paths
quarantine-name = Called
quarantine-machine = On the machine
quarantine-path = Path
quarantine-sender = Sender
quarantine-recipient = Recipient
quarantine-give-back = Give it back
quarantine-two = One person asks, another one agrees. It is given back exactly as it was.
quarantine-ask = Ask for it
quarantine-ask-why = Why it is needed, and why it is harmless
quarantine-ask-do = Ask for it
quarantine-wait = You asked for it, so another person has to agree.
quarantine-decide-why = Why you agree or refuse
quarantine-approve = Agree
quarantine-refuse = Refuse
quarantine-ask-delivery = It is a false alarm: have the message delivered
quarantine-delivery-help = Once another person agrees, the message goes to where it would have gone, and its detection is closed as a false alarm. Whoever got it with a notice gets it once more, whole.
quarantine-delivery-why = Why it is needed, and why it is harmless
quarantine-allow = Allow what was found in it from then on, in every message and file
quarantine-delivery-do = Ask for its delivery
quarantine-ask-file = Ask for it as a file
quarantine-as-delivery = Wanted: that the message goes to where it would have gone.
quarantine-and-allow = What was found in it is allowed from then on.
quarantine-not-delivered = Two people agreed, and the message is not delivered yet.
quarantine-deliver = Deliver it now
quarantine-delivered = The message was delivered as it came.
quarantine-to-delivered = See where it went
quarantine-written-back = The machine that it was taken from writes it back by itself.
quarantine-danger = Do not open it. It is what was found, exactly as it came.
quarantine-download = Download it
quarantine-may-not-take = It may hold what is in a patient's record. Only who may take records out can download it.
quarantine-else = What else can be done
quarantine-show-names = Show names and paths
quarantine-show-names-help = They may name a patient. That you looked, and why, is recorded.
quarantine-submit = Hand it to an expert
quarantine-submit-help = You get a file that only the expert can open. Send it as you like.
quarantine-recipient-key = The expert's public key (age)
quarantine-submit-why = Who the expert is, and why
quarantine-submit-do = Get the file for the expert
quarantine-destroy = Destroy it
quarantine-destroy-help = It is gone for good, with the key that it was sealed under.
quarantine-destroy-do = Destroy it for good
done-malware-closed = It is closed.
done-quarantine-asked = You asked for it. Another person has to agree.
done-quarantine-approved = You agreed. It can be given back.
done-quarantine-delivered = The message goes to where it would have gone.
done-quarantine-refused = You refused. It stays in quarantine.
done-quarantine-destroyed = It was destroyed.
done-rules-imported = The set is in use.
done-rules-decided = The set was changed.
list-detections = detections
list-quarantine = quarantine
list-malware-rules = rules for malware
integrity-title = Files of workstations
integrity-lead = What is different about the files of analyzers and shares since a baseline was made of them.
integrity-none = There is no baseline yet. Make one with labward integrity baseline.
integrity-name = Baseline
integrity-files = Files
integrity-compared = Compared
integrity-never = never
integrity-since = This baseline is used since
integrity-otherwise = Different
integrity-of = { $count ->
    [one] { $count } file was there.
   *[other] { $count } files were there.
 }
integrity-which = Which files are meant is said by labward integrity compare, where the disk is. The server is never told their names, because a name may be that of a patient.
integrity-nothing = Nothing is otherwise.
integrity-added = { $count } new
integrity-changed = { $count } with other content
integrity-moved = { $count } in another place
integrity-removed = { $count } gone
integrity-rights = { $count } with another owner or other rights
integrity-unread = { $count } could not be read
integrity-updates = { $count } of them look like an update: of the same signer, newer, and nothing was found in them
integrity-times = { $count ->
    [one] { $count } file
   *[other] { $count } files
 }
integrity-state-open = Waits for a decision
integrity-state-uncompared = Not compared yet
integrity-state-unchanged = As in its baseline
integrity-state-update = Explained by an update
integrity-state-expected = As it should be
integrity-state-unexpected = Not as it should be
integrity-state-malware = Malware
integrity-do-open = Find out why, with whoever services this machine, and say so here.
integrity-do-uncompared = Compare it with labward integrity compare.
integrity-do-unchanged = Nothing to do.
integrity-do-update = Nothing more to do. Make a new baseline, so that the next comparison begins here.
integrity-do-expected = Nothing more to do. Make a new baseline, so that the next comparison begins here.
integrity-do-unexpected = Put it right with whoever services this machine, and compare again.
integrity-do-malware = Take the machine off the network if patients can wait, call whoever services it, and have its disk looked at.
integrity-decide = What is it?
integrity-decide-update = An update explains it
integrity-decide-expected = It is as it should be
integrity-decide-unexpected = It is not as it should be
integrity-decide-malware = It is malware
integrity-alarms = What stands out
integrity-alarm-baseline-replaced = Compared with another baseline than the one that was told here
integrity-alarm-changed-unseen = Changed, but with the same size and time: somebody may have set the time back
integrity-alarm-malware = Malware, or what may be malware
integrity-alarm-many-changes = Unexplained changes in the folders of the system, and many of them
integrity-alarm-not-scanned = The scanner could not look into it
integrity-alarm-older-version = An older version than before
integrity-alarm-signature-lost = No longer signed
integrity-alarm-signature-unread = The signature cannot be read
integrity-alarm-signature-wrong = The signature does not fit the file
integrity-alarm-signer-changed = Signed by somebody else than before
integrity-alarm-signer-unproven = Signed under the same name as before, but nothing shows that it is the same signer
integrity-alarm-unread = It could be read before, and no longer can
integrity-alarm-unsigned-program = A new or changed program without a signature
integrity-signers = Who signed the programs
integrity-signers-help = A signature that fits shows that the program is as its signer made it. Who the signer is stands in the certificate, and anybody can write any name into one: Labward does not judge the chain.
integrity-signing = Signature
integrity-signer-before = Signed before by
integrity-signer-now = Signed now by
integrity-signing-lost = No longer signed
integrity-signing-new = Signed, and nothing that fits was there before
integrity-signing-other-signer = Signed by another
integrity-signing-same-name = The same name, but nothing shows that it is the same signer
integrity-signing-same-signer = Signed by the same signer as before
integrity-signing-unknown-before = The baseline does not say who signed before
integrity-signing-unread = Cannot be read
integrity-signing-wrong = Does not fit the file
done-integrity-decided = It is recorded.
home-finding-look = Look at it
list-integrity = baselines of files
